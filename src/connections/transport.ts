/** The connection's own socket, as little of it as a session needs. */
export interface Transport {
  /** Writes whole frames, and calls `onTaken` when the operating system has them all. Nothing happens once the connection is not open. */
  write (frames: Buffer, onTaken?: () => void): void
  /** What is written from here until `uncork` leaves with one system call. */
  cork (): void
  uncork (): void
  /** Bytes written and not yet taken by the operating system. */
  readonly buffered: number
  /** Where the client is, as far as the proxies may be trusted. */
  readonly address: string
  /** Of the socket, since it was opened. */
  readonly bytesReceived: number
  readonly bytesSent: number
  pause (): void
  resume (): void
  /** `number` comes back with the pong. */
  ping (number: number): void
  close (code: number, reason: string): void
  terminate (): void
}
