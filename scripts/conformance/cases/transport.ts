import http from 'node:http'
import https from 'node:https'
import { check, Deviation, Withheld } from '../verdict.ts'
import type { Case, Stage } from '../stage.ts'

/** How connections begin, and what ends them by itself: RFC 6455, subprotocols, origins, sizes. */
export const cases: Case[] = [
  {
    rule: 'P1',
    title: 'a binary frame closes the connection with 1003',
    async run ({ open }) {
      const connection = open()
      await connection.opened()
      connection.send(Buffer.from('{"type":"heartbeat"}'))
      await connection.closes(1003, 'after a binary frame')
    }
  },
  {
    rule: 'P2',
    title: 'parley.v1 is selected, no subprotocol is accepted, only unknown ones are refused with 400',
    async run ({ open }) {
      await open().opened()
      const chosen = open({ protocols: ['unknown.v9', 'parley.v1'] })
      await chosen.opened()
      check(chosen.socket.protocol === 'parley.v1', 'the subprotocol parley.v1', chosen.socket.protocol)
      const status = await open({ protocols: ['unknown.v9'] }).refused()
      check(status === 400, 'HTTP 400 to unknown subprotocols', `HTTP ${status}`)
    }
  },
  {
    rule: 'P3',
    title: 'the server\'s own origin is accepted, a foreign one is refused with 403',
    async run ({ open, rest, urls }) {
      await open({ headers: { origin: new URL(urls.rest).origin } }).opened()
      const origin = 'https://foreign.invalid'
      const { headers } = await rest.call('GET', '/api/me', { headers: { origin } })
      if (headers.has('access-control-allow-origin')) throw new Withheld('not offered', 'the server allows any origin')
      const status = await open({ headers: { origin } }).refused()
      check(status === 403, `HTTP 403 to the origin ${origin}`, `HTTP ${status}`)
    }
  },
  {
    rule: 'P4',
    title: 'a frame above max_payload closes with 1009',
    async run ({ ann, connect }) {
      const connection = await connect(ann)
      const { max_payload: size } = await connection.expect('welcome', ({ type }) => type === 'welcome')
      connection.send(JSON.stringify({ type: 'heartbeat', pad: 'x'.repeat(Number(size)) }))
      await connection.closes(1009, 'after a frame that is too large')
    }
  },
  {
    rule: 'P4',
    title: 'JSON of 16 levels is read, of 17 refused',
    async run ({ ann, connect }) {
      const connection = await connect(ann)
      const nested = (levels: number) => `{"type":"heartbeat","pad":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
      const reply = await connection.ask(nested(16))
      check(reply.type === 'heartbeat_ack', 'an answer to a frame of 16 levels', reply)
      await connection.mustNot(nested(17), 'invalid_frame')
    }
  },
  {
    rule: 'P6',
    title: 'welcome is the first frame, also for a client that sends at once',
    async run ({ open }) {
      const connection = open()
      await connection.opened()
      connection.send({ type: 'heartbeat' })
      await connection.expect('an answer', ({ type }) => type === 'heartbeat_ack')
      const { first } = connection.state
      check(first?.type === 'welcome' && first.protocol === 1, 'welcome with protocol 1 as the first frame', first)
    }
  },
  {
    rule: 'P54',
    title: 'an upgrade to another protocol is answered as if it did not ask for one',
    async run (stage) {
      const answer = await upgrade(stage, 'GET', '/api/me', 'h2c')
      check(answer === 'HTTP 401', 'HTTP 401, as without an upgrade', answer)
    }
  },
  {
    rule: 'P54',
    title: 'an upgrade to websocket by another method than GET is ignored',
    async run (stage) {
      const answer = await upgrade(stage, 'POST', '/api/auth/refresh', 'websocket')
      check(answer === 'HTTP 401', 'HTTP 401, as without an upgrade', answer)
    }
  }
]

/** Makes a request that asks for an upgrade. @returns how it is answered. */
function upgrade ({ urls, deadline }: Stage, method: string, path: string, protocol: string): Promise<string> {
  const url = new URL(urls.rest + path)
  const headers = {
    connection: 'Upgrade',
    upgrade: protocol,
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...method === 'POST' && { 'content-type': 'application/json', 'content-length': 2 }
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, { method, timeout: deadline, headers })
    const answer = (how: string): void => {
      request.destroy()
      resolve(how)
    }
    request.on('response', ({ statusCode }) => answer(`HTTP ${statusCode}`))
    request.on('upgrade', ({ statusCode }) => answer(`an upgrade, HTTP ${statusCode}`))
    request.on('timeout', () => answer('nothing'))
    request.on('error', error => reject(new Deviation('an HTTP answer', error.message)))
    request.end(method === 'POST' ? '{}' : undefined)
  })
}
