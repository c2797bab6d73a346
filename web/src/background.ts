import { more } from './dialogs.ts'
import { install } from './install.ts'
import { startNotifier } from './notify/notifier.ts'

/** Starts what the app does besides showing itself. */
export function startBackground (): void {
  startNotifier()
  install()
  // A dialog that is there at once gets the first letters that somebody types. If this fails, it is loaded when somebody opens one.
  more.load().catch(() => {})
}
