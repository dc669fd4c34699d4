/**
 * Schemes that no redirect may have: RFC 9700 §4.1.3 and RFC 8252 §8.4.
 *
 * Their handler runs, reads or shows what it is given, opens it on the web, or is of the system's own.
 * A list of the forbidden can never be whole, which is why such a redirect also needs the form of a
 * private-use URI, an option that lets it in, and a click of the user.
 */
const DANGEROUS: ReadonlySet<string> = new Set(
  [
    // run or show what they are given, in a browser
    'about blob cid content data feed file filesystem intent jar javascript jscript livescript mhtml',
    'mid mk mocha ms-its resource res rss vbs vbscript view-source wyciwyg',
    // a browser's own pages and extensions
    'brave chrome chrome-devtools chrome-error chrome-extension chrome-native chrome-search',
    'chrome-untrusted devtools edge extension isolated-app moz moz-extension moz-icon opera',
    'safari-extension safari-web-extension vivaldi',
    // open an address in a browser, and the code with it
    'firefox firefox-focus googlechrome googlechromes microsoft-edge opera-http opera-https touch-http',
    'x-web-search',
    // go over a network
    'afp coap coaps dav davs dns ftp ftps git gopher imap imaps irc irc6 ircs ldap ldaps ldapi magnet',
    'mms news nfs nntp pop pop3 redis rsync rtmp rtsp rtsps sftp shttp smb smtp snews ssh svn telnet',
    'tftp tn3270 vnc wais ws wss',
    // write to somebody
    'callto facetime facetime-audio facetime-group im imessage mailto mms mmsto msnim sip sips sms',
    'smsto tel xmpp ymsgr',
    // the system, its shops and its installers
    'android-app android-resource bitcoin hcp help itms itms-apps itms-appss itms-services itmss jnlp',
    'jnlps market otpauth search search-ms shell shortcuts steam windows',
    // no place at all
    'http https null tag undefined urn uuid',
  ].flatMap((line) => line.split(' ')),
)

// Office and Windows handlers, and schemes that a web page or an extension may register for itself.
const DANGEROUS_PREFIXES: readonly string[] = ['ms-', 'web+', 'ext+', 'x-apple', 'applescript']

/** Whether `scheme`, in lower case, may never be redirected to. */
export function isDangerousScheme(scheme: string): boolean {
  if (DANGEROUS.has(scheme)) return true
  if (DANGEROUS_PREFIXES.some((prefix) => scheme.startsWith(prefix))) return true
  // `http+unix`, `x-safari-https`: HTTP by another name. A reverse domain may well contain it.
  return !scheme.includes('.') && scheme.includes('http')
}
