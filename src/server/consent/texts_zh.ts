/**
 * The texts of the pages in simplified Chinese.
 */
import { html } from '../../http/html.ts'
import type { Texts } from './texts_shape.ts'

export const CHINESE: Texts = {
  lang: 'zh-Hans',
  nameless: '未命名的应用',
  consent: {
    title: (client) => `是否允许 ${client}？`,
    heading: (client, resource) => html`是否允许 ${client} 使用 ${resource}？`,
    registered: (server) => html`由 ${server} 的管理员登记`,
    verified: (host) => html`已验证：由 <bdi>${host}</bdi> 发布`,
    unverified: '未验证：任何人都可以使用这个名称',
    receiver: '访问权限将发送到',
    thisComputer: '本机',
    appOf: (scheme) => html`打开 <bdi>${scheme}</bdi> 链接的应用`,
    actsOn: '将访问',
    next: '下一步',
    nextSignIn: (upstream) => html`使用 ${upstream} 登录`,
    user: '当前登录用户',
    otherHostTitle: '涉及两个不同的网站',
    otherHost: (clientHost, receiverHost) =>
      html`此应用由 <bdi>${clientHost}</bdi> 发布，但访问权限将发送到
        <bdi>${receiverHost}</bdi>。只有在您确定两者属于同一方时才允许。`,
    loopbackTitle: '本机上的一个程序将获得访问权限',
    loopback: '我们无法确认是哪个程序。只有在您刚刚亲自启动了它时才允许。',
    privateUseTitle: '本设备上的一个应用将获得访问权限',
    privateUse: (scheme) =>
      html`它是注册了
        <bdi>${scheme}</bdi>
        链接的应用。我们无法确认是哪个应用。只有在您刚刚从它那里开始登录时才允许。`,
    scopes: '它将能够',
    noScopes: '以您的身份连接，不含其他权限',
    isNew: '新增',
    approve: '允许',
    deny: '拒绝',
    advice: '如果不是您刚刚在自己的应用中发起的，请选择“拒绝”。',
    details: '技术细节',
  },
  goOn: {
    upstreamTitle: (name) => `前往 ${name}`,
    upstream: (name) => html`正在前往 ${name} 登录。`,
    signedInTitle: '您已登录',
    deniedTitle: '未授予访问权限',
    failedTitle: '登录未成功',
    back: (name) => html`正在返回 ${name}。`,
    deniedBack: (name) => html`${name} 没有获得访问权限。正在返回该应用。`,
    failedBack: (name) => html`正在返回 ${name}。请在那里重试。`,
    opensApp: (name) => html`请返回 ${name}。如果它没有自动打开，请使用下面的按钮。`,
    close: '之后可以关闭此窗口。',
    upstreamLink: (name) => html`继续前往 ${name}`,
    clientLink: (name) => html`返回 ${name}`,
  },
  errors: {
    invalid_client: {
      title: '此处不认识这个应用',
      body: '您使用的应用没有登记，或登记已失效。请在应用中删除此连接，然后重新添加。',
    },
    invalid_redirect_uri: {
      title: '返回应用的地址没有登记',
      body: '为安全起见，没有继续跳转。请在应用中删除此连接，然后重新添加；如果仍然不行，请告知应用的开发者。',
    },
    invalid_request: {
      title: '无法识别应用发来的请求',
      body: '没有做任何更改。请从应用中重新开始登录；如果仍然不行，请告知应用的开发者。',
    },
    expired: {
      title: '本次登录已过期',
      body: '它已经完成，或者用时过长。请从应用中重新开始。',
    },
    wrong_browser: {
      title: '本次登录属于另一个浏览器',
      body: '登录必须在开始时的浏览器中完成。请从应用中重新开始，并允许本网站使用 Cookie。',
    },
    csrf: {
      title: '无法确认这个答复来自您',
      body: '没有授予任何权限。请从应用中重新开始，并在打开的页面上作答。',
    },
    not_allowed: {
      title: '您没有访问权限',
      body: '您的账号不在允许使用此服务的名单中。请联系管理员，或重新开始并使用其他账号登录。',
    },
    upstream_failed: {
      title: '登录服务没有正常响应',
      body: '这不是您的问题。请稍等片刻，再从应用中重新开始。',
    },
    client_unreachable: {
      title: '无法核实这个应用',
      body: '现在无法加载该应用的说明文件。请几分钟后重试。',
    },
    rate_limited: {
      title: '尝试次数过多',
      body: '短时间内来自您网络的请求过多。请稍等片刻再试。',
    },
    unavailable: {
      title: '暂时无法使用',
      body: '服务器出现了短暂的问题。请稍后重试。',
    },
    internal: {
      title: '服务器出错了',
      body: '这是服务器的故障，不是您的问题。请重试；如果仍然不行，请告知管理员。',
    },
    not_found: {
      title: '页面不存在',
      body: '请检查地址，或从应用中重新开始。',
    },
    method: {
      title: '不能以这种方式使用此页面',
      body: '请返回，并从应用中重新开始。',
    },
  },
  signedInAs: (user) => html`当前登录用户：${user}。`,
  retryIn: (seconds) =>
    seconds < 90 ? `请在 ${seconds} 秒后重试。` : `请在 ${Math.ceil(seconds / 60)} 分钟后重试。`,
  forDevelopers: '开发者信息',
  reference: '编号',
}
