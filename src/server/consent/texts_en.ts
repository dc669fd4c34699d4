/**
 * The texts of the pages in English: plain words, short sentences.
 */
import { html } from '../../http/html.ts'
import type { Texts } from './texts_shape.ts'

export const ENGLISH: Texts = {
  lang: 'en',
  nameless: 'An app without a name',
  consent: {
    title: (client) => `Allow ${client}?`,
    heading: (client, resource) => html`Allow ${client} to use ${resource}?`,
    registered: (server) => html`Registered by the operator of ${server}`,
    verified: (host) => html`Verified: published by <bdi>${host}</bdi>`,
    unverified: 'Unverified: anyone can use this name',
    receiver: 'Access is sent to',
    thisComputer: 'this computer',
    appOf: (scheme) => html`the app that opens <bdi>${scheme}</bdi> links`,
    actsOn: 'It will act on',
    next: 'Next step',
    nextSignIn: (upstream) => html`Sign in with ${upstream}`,
    user: 'Signed in as',
    otherHostTitle: 'Two different sites',
    otherHost: (clientHost, receiverHost) =>
      html`The app is published by <bdi>${clientHost}</bdi>, but the access goes to
        <bdi>${receiverHost}</bdi>. Allow this only if you know that they belong together.`,
    loopbackTitle: 'A program on this computer receives the access',
    loopback:
      'We cannot check which program that is. Allow this only if you started it yourself, just now.',
    privateUseTitle: 'An app on this device receives the access',
    privateUse: (scheme) =>
      html`It is the app that registered <bdi>${scheme}</bdi> links. We cannot check which app that
        is. Allow this only if you started the sign-in there.`,
    scopes: 'It will be able to',
    noScopes: 'Connect in your name, without further permissions',
    isNew: 'new',
    approve: 'Allow',
    deny: 'Deny',
    advice: 'If you did not just start this in an app of yours, choose Deny.',
    details: 'Technical details',
  },
  goOn: {
    upstreamTitle: (name) => `On to ${name}`,
    upstream: (name) => html`You are being taken to ${name} to sign in.`,
    signedInTitle: 'You are signed in',
    deniedTitle: 'Access was not given',
    failedTitle: 'The sign-in did not work',
    back: (name) => html`You are being taken back to ${name}.`,
    deniedBack: (name) => html`${name} gets no access. You are being taken back to it.`,
    failedBack: (name) => html`You are being taken back to ${name}. Try again there.`,
    opensApp: (name) => html`Go back to ${name}. If it does not open by itself, use the button.`,
    close: 'Then you can close this window.',
    upstreamLink: (name) => html`Continue to ${name}`,
    clientLink: (name) => html`Back to ${name}`,
  },
  errors: {
    invalid_client: {
      title: 'This app is not known here',
      body: 'The app that sent you is not registered, or is no longer. Remove the connection in the app and add it again.',
    },
    invalid_redirect_uri: {
      title: 'The way back to the app is not registered',
      body: 'To be safe, you were not sent on. Remove the connection in the app and add it again; if that does not help, tell its maker.',
    },
    invalid_request: {
      title: 'The app sent a request we cannot read',
      body: 'Nothing was changed. Start the sign-in again from the app; if that does not help, tell its maker.',
    },
    expired: {
      title: 'This sign-in has expired',
      body: 'It was finished already, or took too long. Start again from the app.',
    },
    wrong_browser: {
      title: 'This sign-in belongs to another browser',
      body: 'A sign-in must end in the browser where it began. Start again from the app, and allow cookies for this site.',
    },
    csrf: {
      title: 'We could not tell that the answer was yours',
      body: 'Nothing was allowed. Start again from the app, and answer on the page that opens.',
    },
    not_allowed: {
      title: 'You do not have access',
      body: 'Your account is not among those that may use this server. Ask its operator, or start again and sign in with another account.',
    },
    upstream_failed: {
      title: 'The sign-in service did not answer properly',
      body: 'This is not your fault. Wait a moment and start again from the app.',
    },
    client_unreachable: {
      title: 'We could not check the app',
      body: 'The page on which the app describes itself cannot be loaded now. Try again in a few minutes.',
    },
    rate_limited: {
      title: 'Too many tries',
      body: 'There were many requests from your network in a short time. Wait a little and try again.',
    },
    unavailable: {
      title: 'Not available right now',
      body: 'The server has a problem that should pass soon. Try again in a moment.',
    },
    internal: {
      title: 'Something went wrong here',
      body: 'This is a fault of the server and not yours. Try again; if it stays, tell the operator.',
    },
    not_found: {
      title: 'There is no page here',
      body: 'Check the address, or start again from the app.',
    },
    method: {
      title: 'This page cannot be used like that',
      body: 'Go back and start again from the app.',
    },
  },
  signedInAs: (user) => html`You are signed in as ${user}.`,
  retryIn: (seconds) =>
    seconds < 90
      ? `Try again in ${plural(seconds, 'second')}.`
      : `Try again in ${plural(Math.ceil(seconds / 60), 'minute')}.`,
  forDevelopers: 'For developers',
  reference: 'Reference',
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
