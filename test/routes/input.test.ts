import { request } from 'node:http'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const ann = await server.enter('ann', 'general')
const ben = await server.enter('ben', 'general')
const token = ann.person.access_token

const badRequest = (code: string, message: string | RegExp) =>
  ({ status: 400, body: { statusCode: 400, error: 'Bad Request', code, message } })

/** Makes a GET request with exactly this path. `fetch` would resolve `..` before it sends the path. */
function getRaw (path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port: server.port, path, headers: { authorization: `Bearer ${token}` } }, response => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject).end()
  })
}

/** [G8] Checks that two other users of the server still exchange messages after the refused requests. */
async function controlPair (): Promise<void> {
  for (let n = 0; n < 20; n++) await ann.request({ type: 'send_message', channel: 'general', message: `control ${n}` })
  for (let n = 0; n < 20; n++) await ben.expect(({ type, message }) => type === 'message' && message === `control ${n}`)
}

t.afterEach(controlPair)

t.test('[P17] a channel name in a URL that does not match the pattern answers 400, however it is encoded', async t => {
  const names = [
    'General', 'a%20b', '-a', '%00', 'a%00b', '..%2f..%2fetc', 'a%2fb', '%2f', 'a%5cb', 'a%0a', '%e2%80%ae', 'a%e2%80%8bb', '%d0%b5',
    '%c3%a4', '%f0%9f%98%80', 'a.b', 'a;b', "a'--", 'a%25', '%20a', 'x'.repeat(65), 'x'.repeat(101), 'x'.repeat(4000)
  ]
  const calls = [['GET', ''], ['DELETE', ''], ['GET', '/messages'], ['POST', '/messages', { message: 'x' }], ['GET', '/members']] as const
  for (const name of names) {
    for (const [method, path, body] of calls) {
      const { status, body: reply } = await server.call(method, `/api/channels/${name}${path}`, { token, body })
      t.match({ status, body: reply }, badRequest('invalid_channel_name', 'Invalid channel name'), `${method} ${name.slice(0, 70)}${path}`)
    }
  }
  t.match(await server.call('GET', '/api/channels/%20', { token }), badRequest('channel_required', 'Channel name required'))
})

t.test('URLs that cannot be decoded or that leave the API answer 400 or 404', async t => {
  for (const name of ['%', '%zz', '%c0%af', '%ff', '%ed%a0%80']) {
    const { status, body } = await server.call('GET', `/api/channels/${name}`, { token })
    t.match({ status, body }, { status: 400, body: { statusCode: 400, error: 'Bad Request', code: 'invalid_request' } }, name)
  }
  t.equal(await getRaw('/api/channels/..'), 400)
  t.equal(await getRaw('/api/channels/%2e%2e'), 400)
  t.equal(await getRaw('/api/channels/../../etc/passwd'), 404)
})

t.test('bodies that are not JSON or not an object answer 400', async t => {
  for (const path of ['/api/channels', '/api/channels/general/messages']) {
    const post = (body: string, headers = {}) => server.call('POST', path, { token, body, headers })
    for (const body of ['{', '{"message":"x"', 'x', '{"message":"x"}}', '', '\0', '{"message":NaN}', "{'message':'x'}"]) {
      t.match(await post(body), badRequest('invalid_json', 'Invalid JSON format'), `${path} ${body}`)
    }
    for (const body of ['null', '1', '"x"', 'true', '[]', '[{"message":"x","name":"y"}]']) {
      const reply = await post(body)
      t.equal(reply.status, 400, `${path} ${body}`)
      t.match(reply.body.code, /^(invalid_request|message_required|channel_required)$/)
    }
    for (const key of ['"__proto__":{"a":1}', '"\\u005f_proto__":{"a":1}', '"constructor":{"prototype":{"a":1}}']) {
      const reply = await post(`{${key},"message":"x"}`)
      t.equal(reply.status, 400, key)
      t.match(reply.body.code, /^(invalid_json|invalid_request|channel_required)$/)
    }
    t.notOk('a' in {}, 'no prototype has changed')
  }
})

t.test('the last of duplicate keys in a body wins', async t => {
  const { status, body } = await server.call('POST', '/api/channels/general/messages', {
    token, body: '{"message":"first","message":"last"}'
  })
  t.equal(status, 201)
  t.equal((await ben.expect(({ seq }) => seq === body.seq)).message, 'last')
})

t.test('a body over the limit answers 413, and another content type answers 415', async t => {
  for (const path of ['/api/channels', '/api/channels/general/messages']) {
    const large = await server.call('POST', path, { token, body: JSON.stringify({ message: 'x'.repeat(70_000), name: 'x' }) })
    t.equal(large.status, 413)
    t.same(large.body, { statusCode: 413, error: 'Payload Too Large', code: 'payload_too_large', message: 'Payload too large' })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'x']) {
      const { status, body } = await server.call('POST', path, { token, body: '{"name":"y"}', headers: { 'content-type': type } })
      t.equal(status, 415, type)
      t.same(body, { statusCode: 415, error: 'Unsupported Media Type', code: 'unsupported_media_type', message: 'Unsupported media type' })
    }
  }
})

t.test('SQL in a message is stored as plain text', async t => {
  const text = "'; DELETE FROM \"Message\"; -- $1 \\'; SELECT pg_sleep(10)"
  const { status, body } = await server.call('POST', '/api/channels/general/messages', {
    token, body: { message: text, client_id: "a' OR 1=1" }
  })
  t.equal(status, 201)
  const history = await server.call('GET', `/api/channels/general/messages?after=${body.seq - 1}&limit=1`, { token })
  t.match(history.body.messages, [{ message: text, client_id: "a' OR 1=1" }])
})

t.test('an unknown path or method answers 404 in the same shape as other errors', async t => {
  for (const call of ['GET /api/nothing', 'PUT /api/channels', 'POST /api/channels/general', 'GET /nothing', 'DELETE /api/channels']) {
    const [method, path] = call.split(' ') as [string, string]
    const { status, body } = await server.call(method, path, { token })
    t.equal(status, 404, call)
    t.same(body, { statusCode: 404, error: 'Not Found', code: 'not_found', message: 'Not found' })
  }
})

t.test('none of the requests above caused an internal error', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})
