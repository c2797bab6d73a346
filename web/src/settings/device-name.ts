import { t } from '../text.ts'

/** Browsers and systems by what their user agents have. The first that fits is right: many name others, too. */
const BROWSERS: Array<[RegExp, string]> = [
  [/Edg/, 'Edge'], [/OPR\//, 'Opera'], [/SamsungBrowser/, 'Samsung Internet'], [/Firefox|FxiOS/, 'Firefox'], [/Chrome|CriOS/, 'Chrome'],
  [/Safari/, 'Safari']
]
const SYSTEMS: Array<[RegExp, string]> = [
  [/Windows/, 'Windows'], [/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Mac OS/, 'macOS'], [/CrOS/, 'ChromeOS'], [/Linux|X11/, 'Linux']
]

/** Returns a user agent as people would say it, such as "Firefox on Linux". */
export function deviceName (userAgent: string | null): string {
  if (userAgent === null) return t.settings.unknownDevice
  const browser = find(BROWSERS, userAgent)
  const system = find(SYSTEMS, userAgent)
  if (browser && system) return t.settings.browserOn(browser, system)
  return browser ?? system ?? userAgent
}

function find (names: Array<[RegExp, string]>, userAgent: string): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1]
}
