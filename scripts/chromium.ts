import { join } from 'node:path'
import type { LaunchOptions } from 'playwright-core'
import { findPrograms } from './service.ts'

/** Returns how playwright launches Debian's Chromium, which is installed if it is missing. It runs as root, and calls no other machine. */
export function chromiumOptions (): LaunchOptions & { executablePath: string } {
  const [folder] = findPrograms('chromium')
  return {
    executablePath: join(folder!, 'chromium'),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  }
}
