import { createFrameCheck } from '../../src/requests/frame-check.ts'
import { noticeFrames, sentFrames } from '../../src/requests/frames.ts'
import { table } from '../../src/requests/table.ts'
import { t } from '../tap.ts'

const check = createFrameCheck()
const judge = (frame: object) => check(JSON.stringify(frame))
const timestamp = '2026-01-02T03:04:05.678Z'
const id = '01a2280f-f084-768a-8fff-256b77567be6'

t.test('every reply, every notice and the error frame have a schema', async t => {
  const replies = Object.values(table).map(({ reply }) => 'action' in reply ? `success ${reply.action}` : reply.type)
  t.same(new Set(sentFrames.keys()), new Set([...replies, ...Object.keys(noticeFrames), 'error']))
})

t.test('a frame that is as its schema says has no fault', async t => {
  t.equal(judge({ type: 'success', action: 'channel_left', data: { channel: 'general' }, ref: 7 }), null)
  t.equal(judge({ type: 'error', code: 'busy', message: 'Server busy', retry_after_ms: 1000 }), null)
  t.equal(judge({ type: 'user_left', channel: 'general', user_id: id, username: 'Ann', timestamp }), null)
})

t.test('a field that is missing, unknown or of another form is a fault, which has its path and nothing of the content', async t => {
  const success = { type: 'success', action: 'channel_left', data: { channel: 'general' } }
  t.same(judge({ ...success, data: {} }), { frame: 'success channel_left', path: '/data/channel', message: 'Expected required property' })
  t.match(judge({ ...success, data: { channel: 'general', secret: 'x' } }), { path: '/data/secret', message: 'Unexpected property' })
  t.match(judge({ ...success, seq: 1 }), { path: '/seq' })
  t.match(judge({ type: 'restored', timestamp: '2026-01-02 03:04:05' }), { frame: 'restored', path: '/timestamp' })
  t.match(judge({ type: 'error', code: 'not_found', message: 'Not found' }), { path: '/code' })
  t.match(judge({ type: 'shout' }), { frame: 'shout', message: 'No schema' })
  t.match(judge({ type: 'success', action: 'shouted', data: {} }), { frame: 'success shouted', message: 'No schema' })
})
