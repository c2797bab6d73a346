/** The person's own account, and how this browser shows the app. */
export function SettingsView () {
  return null
}
