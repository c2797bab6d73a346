import { handshake } from './raw.ts'

export const plain = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
export const withMethod = (method: string, path?: string): string => handshake({}, path).replace('GET', method)

/** Unusual requests, most of them upgrades, that do not open a WebSocket connection. */
export const odd: Array<[what: string, bytes: string]> = [
  ['HEAD /websocket', withMethod('HEAD')],
  ['HEAD of another path', withMethod('HEAD', '/healthz')],
  ['HEAD of an invalid path', withMethod('HEAD', '/%zz')],
  ['OPTIONS /websocket', withMethod('OPTIONS')],
  ['DELETE /websocket', withMethod('DELETE')],
  ['POST /websocket without its body', handshake({ 'Content-Length': '10' }).replace('GET', 'POST')],
  ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n'],
  ['CONNECT with an upgrade', withMethod('CONNECT', 'example.org:443')],
  ['an upgrade to a page', handshake({}, '/healthz')],
  ['an invalid path', handshake({}, '/%zz')],
  ['HTTP/1.0', handshake().replace('HTTP/1.1', 'HTTP/1.0')],
  ['no key', handshake({ 'Sec-WebSocket-Key': undefined })],
  ['version 7', handshake({ 'Sec-WebSocket-Version': '7' })],
  ['a foreign Origin', handshake({ Origin: 'https://evil.example' })],
  ['HEAD behind HEAD', withMethod('HEAD') + withMethod('HEAD')],
  ['a refused upgrade behind a request', plain + handshake({}, '/nowhere')],
  ['HEAD behind a request', plain + withMethod('HEAD')],
  ['HEAD behind three requests', plain + plain + plain + withMethod('HEAD')],
  ['CONNECT behind a request', plain + withMethod('CONNECT', 'example.org:443')],
  ['an upgrade behind a refused upgrade', handshake({}, '/nowhere') + handshake()],
  ['an upgrade behind HEAD', withMethod('HEAD') + handshake()],
  ['h2c behind a refused upgrade', handshake({}, '/nowhere') + handshake({ Upgrade: 'h2c' })]
]

/** Requests that may open WebSocket connections, which have deadlines of their own. */
export const taken: Array<[what: string, bytes: string]> = [
  ['an upgrade', handshake()],
  ['an upgrade behind a request', plain + handshake()],
  ['an upgrade behind three requests', plain + plain + plain + handshake()],
  ['an upgrade behind an ignored one', handshake({ Upgrade: 'h2c' }, '/healthz') + handshake()],
  ['an upgrade behind an upgrade', handshake() + handshake()]
]

/** A request whose client waits for `100 Continue` and then never sends the body. */
const expectant = handshake({ Upgrade: 'h2c', 'Content-Length': '10', Expect: '100-continue' }, '/api/auth/login').replace('GET', 'POST')

/** Requests after which the client keeps its connection open and sends nothing more. */
export const lasting: Array<[what: string, bytes: string]> = [
  ['HEAD /websocket', withMethod('HEAD')],
  ['an upgrade behind a request in the same segment', plain + handshake()],
  ['HEAD /websocket behind a request in the same segment', plain + withMethod('HEAD')],
  ['an upgrade behind an upgrade in the same segment', handshake() + handshake()],
  ['an upgrade behind a refused upgrade in the same segment', handshake({}, '/nowhere') + handshake()],
  ['an upgrade to h2c whose body does not come', expectant],
  ['a WebSocket connection whose client answers nothing', handshake()]
]
