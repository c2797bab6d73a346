import { join } from 'node:path'
import type { LaunchOptions } from 'playwright-core'
import { findPrograms } from './service.ts'

/**
 * Features of Chromium that are turned off. This list replaces that of Playwright, so it has what Playwright turns off on Linux too. The
 * popups of the address bar are pages, which Chromium loads for each new window: they cost more than the page in it, and nobody sees them.
 */
const DISABLED = [
  'WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'AimEnabled', 'AvoidCorsURLLoaderRestartOnRedirect', 'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose', 'HttpsFirstBalancedModeAutoEnable', 'HttpsUpgrades', 'LensOverlay', 'MediaRouter',
  'NetworkTimeServiceQuerying', 'OptimizationHints', 'PaintHolding', 'PreconnectToSearch', 'ThirdPartyStoragePartitioning'
]

/** The headless shell is Chromium without its user interface. Pages cost a third less in it, but it shows no notifications. */
export type ChromiumProgram = 'chromium' | 'chromium-headless-shell'

/** Returns how playwright launches Debian's Chromium, which is installed if it is missing. It runs as root, and calls no other machine. */
export function chromiumOptions (program: ChromiumProgram = 'chromium'): LaunchOptions & { executablePath: string, args: string[] } {
  const [folder] = findPrograms(program)
  return {
    executablePath: join(folder!, program),
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      `--disable-features=${DISABLED.join()}`
    ]
  }
}
