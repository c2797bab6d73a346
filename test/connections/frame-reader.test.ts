import { DROP, FrameReader, PASS, WAIT, type FrameHead, type Verdict } from '../../src/connections/frame-reader.ts'
import { t } from '../tap.ts'
import { frame, opcode } from '../websocket/raw.ts'

const { text: TEXT, continuation, close, ping, pong } = opcode

/** A reader whose frames are judged by `judge`, with a record of the heads that it found and of the bytes that it passed. */
function createScene (judge: (head: FrameHead) => Verdict = () => PASS, room = 64) {
  const heads: FrameHead[] = []
  const passed: Array<{ bytes: Buffer, refusedFor: number }> = []
  let back: Buffer = Buffer.alloc(0)
  let rest = 0
  const reader = new FrameReader({
    room,
    admit: head => {
      heads.push({ ...head })
      return judge(head)
    },
    admitRest: bytes => { rest += bytes },
    pass: (bytes, refusedFor) => { passed.push({ bytes: Buffer.from(bytes), refusedFor }) },
    putBack: bytes => { back = bytes }
  })
  return {
    reader,
    heads,
    passed,
    bytes: (): Buffer => Buffer.concat(passed.map(({ bytes }) => bytes)),
    takeBack: (): Buffer => {
      const bytes = back
      back = Buffer.alloc(0)
      return bytes
    },
    rest: (): number => rest
  }
}

/** Cuts bytes into pieces of this size. */
function pieces (bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => Buffer.from(bytes.subarray(i * size, (i + 1) * size)))
}

const of = (code: number, length: number, isFinal = true, messageLength = length): FrameHead =>
  ({ opcode: code, isFinal, length, messageLength })

/** Lengths whose heads have two, four and ten bytes. */
const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]
/** Some of them, for cuts into many pieces. */
const fewLengths = [0, 1, 125, 126, 127, 65_536]

t.test('[P53] the reader finds the head of each frame, masked or not, whatever its length and wherever the bytes are cut', async t => {
  for (const masked of [true, false]) {
    for (const size of [1, 2, 3, 7, 4095, 4096, 65_536, 1_000_000]) {
      const given = size < 10 ? fewLengths : lengths
      const bytes = Buffer.concat(given.map(length => frame(TEXT, Buffer.alloc(length, 'x'), { masked })))
      const { reader, heads, passed, bytes: all } = createScene()
      for (const piece of pieces(bytes, size)) reader.read(piece)
      t.same(heads, given.map(length => of(TEXT, length)), `pieces of ${size}`)
      t.ok(all().equals(bytes))
      t.ok(passed.length <= 2 * given.length + bytes.length / 4096 + 1, `${passed.length} pieces for ws`)
    }
  }
})

t.test('[P53] fragments add up to the length of their message, and control frames between them do not count', async t => {
  const bytes = Buffer.concat([
    frame(TEXT, 'abc', { fin: false }), frame(ping, 'p'), frame(continuation, 'de', { fin: false }), frame(pong), frame(continuation, 'f'),
    frame(TEXT, 'g')
  ])
  for (const size of [1, 5, bytes.length]) {
    const { reader, heads, bytes: all } = createScene()
    for (const piece of pieces(bytes, size)) reader.read(piece)
    t.same(heads, [
      of(TEXT, 3, false), of(ping, 1), of(continuation, 2, false, 5), of(pong, 0), of(continuation, 1, true, 6), of(TEXT, 1)
    ])
    t.ok(all().equals(bytes))
  }
})

t.test('[P53] a segment of small frames is passed in one piece, unless it has more data frames than there is room for', async t => {
  const pongs = Buffer.concat(Array.from({ length: 1000 }, () => frame(pong)))
  const texts = Buffer.concat(Array.from({ length: 100 }, () => frame(TEXT, 'x')))
  const many = createScene()
  many.reader.read(pongs)
  t.equal(many.passed.length, 1)
  many.reader.read(texts)
  t.same(many.passed.map(({ bytes }) => bytes.length), [pongs.length, 64 * 7, 36 * 7])
  const few = createScene(undefined, 0)
  few.reader.read(texts)
  t.equal(few.passed.length, 100)
})

t.test('[P53] a frame that has to wait is put back together with everything after it', async t => {
  const frames = Array.from({ length: 10 }, (_, i) => frame(TEXT, 'x'.repeat(i * 50)))
  const bytes = Buffer.concat(frames)
  for (const size of [1, 10, 300, bytes.length]) {
    let isOpen = false
    const { reader, bytes: all, takeBack } = createScene(() => {
      isOpen = !isOpen
      return isOpen ? PASS : WAIT
    })
    for (const piece of pieces(bytes, size)) {
      reader.read(piece)
      for (let back = takeBack(); back.length > 0; back = takeBack()) reader.read(back)
    }
    t.ok(all().equals(bytes), `pieces of ${size}`)
  }
})

t.test('[P53] a refused frame is passed separately with its verdict, and a dropped frame is not passed', async t => {
  const verdicts: Record<number, Verdict> = { 10: 250, 20: DROP }
  const bytes = Buffer.concat([5, 10, 6, 20, 7, 20, 10].map(length => frame(TEXT, 'x'.repeat(length))))
  for (const size of [1, 9, 23, bytes.length]) {
    const { reader, passed } = createScene(({ length }) => verdicts[length] ?? PASS)
    for (const piece of pieces(bytes, size)) reader.read(piece)
    const of = (verdict: number): Buffer => Buffer.concat(passed.filter(one => one.refusedFor === verdict).map(one => one.bytes))
    t.ok(of(0).equals(Buffer.concat([5, 6, 7].map(length => frame(TEXT, 'x'.repeat(length))))), `pieces of ${size}`)
    t.ok(of(250).equals(Buffer.concat([10, 10].map(length => frame(TEXT, 'x'.repeat(length))))))
  }
})

t.test('[P53] after a close frame, or after the end of the reader, bytes are counted but not read', async t => {
  const wanted = Buffer.concat([frame(pong), frame(close, Buffer.from([0x03, 0xe8]))])
  const late = frame(ping, 'late')
  for (const size of [1, 7, 1000]) {
    const { reader, heads, bytes, rest } = createScene()
    for (const piece of pieces(Buffer.concat([wanted, late]), size)) reader.read(piece)
    t.same(heads, [of(pong, 0), of(close, 2)])
    t.ok(bytes().equals(wanted))
    t.ok(size === 1000 || rest() > 0)
    const before = rest()
    reader.read(late)
    t.equal(rest(), before + late.length)
  }
  const ended = createScene()
  ended.reader.end()
  ended.reader.read(frame(pong))
  t.same([ended.heads.length, ended.passed.length, ended.rest()], [0, 0, 6])
})

t.test('malformed frames are passed at once, even if they are incomplete, because ws judges them', async t => {
  for (const wrong of [
    frame(TEXT, '{}', { rsv: 7 }), frame(0xb, '{}'), frame(TEXT, '{}', { masked: false }), frame(continuation, '{}'),
    frame(ping, Buffer.alloc(126)), frame(ping, 'p', { fin: false }), frame(TEXT, '{}', { declared: 2n ** 63n }),
    frame(TEXT, '{}', { declared: 2n ** 64n - 1n })
  ]) {
    const { reader, bytes } = createScene()
    reader.read(wrong)
    t.ok(bytes().equals(wrong))
  }
})
