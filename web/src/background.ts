import { install } from './install.ts'
import { startNotifier } from './notify/notifier.ts'

/** Starts what the app does besides showing itself. */
export function startBackground (): void {
  startNotifier()
  install()
}
