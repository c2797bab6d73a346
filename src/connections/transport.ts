/** The part of a connection's socket that a session uses. */
export interface Transport {
  /** Writes whole frames and calls `onTaken` when the operating system has taken them. It does nothing if the connection is not open. */
  write (frames: Buffer, onTaken?: () => void): void
  /** Collects writes until `uncork`, which sends them with one system call. */
  cork (): void
  uncork (): void
  /** Bytes that were written and that the operating system has not taken yet. */
  readonly buffered: number
  /** The client's address, as far as trusted proxies report it. */
  readonly address: string
  /** Bytes that the socket has received and sent since it was opened. */
  readonly bytesReceived: number
  readonly bytesSent: number
  pause (): void
  resume (): void
  /** Sends a ping. The client's pong returns `number`. */
  ping (number: number): void
  close (code: number, reason: string): void
  terminate (): void
}
