export function startServices (options?: { durable?: boolean, nginx?: boolean }): Promise<{ postgresUrl: string, redisUrl: string, stop (): Promise<void> }>

export function startDatabase (options?: { base?: string }): Promise<{
  url: string
  /** To all of its processes. */
  signal (name: NodeJS.Signals): void
  /** Ends it without waiting for anybody, waits for `pause`, and starts it again on the same data and port. */
  restart (pause?: () => Promise<unknown>): Promise<void>
  stop (): Promise<void>
}>

export function startNginx (configure: (place: { port: number, folder: string }) => string): Promise<{
  port: number
  folder: string
  stop (): Promise<void>
}>
