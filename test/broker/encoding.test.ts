import { randomBytes } from 'node:crypto'
import type { BusEvent } from '../../src/broker/broker.ts'
import { decodeEvent, encodeEvent, INSTANCE_BYTES, isEcho } from '../../src/broker/encoding.ts'
import { t } from '../tap.ts'

const instance = randomBytes(INSTANCE_BYTES)
const events: BusEvent[] = [
  { kind: 'entries', firstSeq: Number.MAX_SAFE_INTEGER - 1, frames: Buffer.from('abc'), ends: [1, 3] },
  { kind: 'entries', firstSeq: 0, frames: Buffer.alloc(0), ends: [] },
  { kind: 'notice', frame: Buffer.from('{"type":"announcement"}') },
  { kind: 'control', action: { type: 'channel_deleted', timestamp: '2026-01-01T00:00:00.000Z' } }
]

t.test('decoding returns every event as it was encoded', async t => {
  for (const event of events) t.same(decodeEvent(encodeEvent(event, instance)), event)
})

t.test('an instance tells its own messages from those of others', async t => {
  const message = encodeEvent(events[0]!, instance)
  t.equal(isEcho(message, instance), true)
  t.equal(isEcho(message, randomBytes(INSTANCE_BYTES)), false)
  t.equal(isEcho(Buffer.alloc(3), instance), false)
})

t.test('a truncated message is not decoded, wherever the cut is', async t => {
  for (const event of events) {
    const message = encodeEvent(event, instance)
    // Any bytes after the header of 10 bytes are a valid notice, so a notice is only cut within the header.
    const end = event.kind === 'notice' ? 10 : message.length
    for (let size = 0; size < end; size++) t.equal(decodeEvent(message.subarray(0, size)), undefined)
  }
})

t.test('a message with another version, an unknown kind, an invalid seq or invalid ends is not decoded', async t => {
  const change = (event: BusEvent, alter: (message: Buffer) => void) => {
    const message = encodeEvent(event, instance)
    alter(message)
    return decodeEvent(message)
  }
  t.equal(change(events[2]!, message => { message[0] = 2 }), undefined)
  t.equal(change(events[2]!, message => { message[1] = 9 }), undefined)
  t.equal(change(events[0]!, message => message.writeDoubleBE(0.5, 10)), undefined)
  t.equal(change(events[0]!, message => message.writeDoubleBE(-1, 10)), undefined)
  t.equal(change(events[0]!, message => message.writeUInt32BE(0xffffffff, 18)), undefined)
  t.equal(change(events[0]!, message => message.writeUInt32BE(4, 22)), undefined)
})

t.test('10,000 random messages are decoded or refused without an exception', async t => {
  const kinds = new Set<string | undefined>()
  for (let i = 0; i < 10_000; i++) {
    const message = randomBytes(10 + i % 60)
    message[0] = 1
    message[1] = 1 + i % 4
    kinds.add(decodeEvent(message)?.kind)
  }
  t.ok(kinds.has(undefined) && kinds.has('notice'))
})
