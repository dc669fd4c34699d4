/**
 * Whether this machine reaches the hosts at which Claude Code and Codex publish their metadata documents.
 *
 * Those clients name their document where a server reads such documents, and cannot sign in when it
 * does not get to them. Where documents are switched off they register themselves instead.
 */
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'

const HOSTS = ['claude.ai', 'chatgpt.com']
const HTTPS = 443
const WITHIN = 2000

/** Connects to each of `hosts` and says nothing there. */
export async function reachesOutside(hosts = HOSTS, port = HTTPS, lookUp = askNameServers) {
  let timer
  const deadline = new Promise((done) => {
    timer = setTimeout(done, WITHIN, false)
  })
  const reached = hosts.map((host) =>
    lookUp(host).then(
      (address) => accepts(address, port),
      () => false,
    ),
  )
  const all = Promise.all(reached).then((answers) => answers.every((one) => one))
  return await Promise.race([all, deadline]).finally(() => clearTimeout(timer))
}

/** As the gateway does for the names that clients send: without the hosts file. */
async function askNameServers(host) {
  const resolver = new Resolver({ timeout: WITHIN / 2, tries: 1 })
  const [address] = await Promise.any([resolver.resolve4(host), resolver.resolve6(host)])
  return address
}

function accepts(host, port) {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: WITHIN })
    socket.unref()
    for (const event of ['connect', 'error', 'timeout']) {
      socket.once(event, () => {
        socket.destroy()
        done(event === 'connect')
      })
    }
  })
}
