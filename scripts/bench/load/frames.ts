/** A client's text frame (RFC 6455, 5.2). Its mask is zero, so the payload in it is unchanged and may be modified in place. */
export function textFrame (text: string): Buffer {
  return clientFrame(0x1, Buffer.from(text))
}

export function pongFrame (payload: Buffer): Buffer {
  return clientFrame(0xa, payload)
}

export function clientFrame (opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  if (length >= 65_536) throw new RangeError('the generator sends short frames only')
  const head = length < 126 ? [0x80 | opcode, 0x80 | length] : [0x80 | opcode, 0x80 | 126, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload])
}
