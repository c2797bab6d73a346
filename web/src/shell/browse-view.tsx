/** The channels that somebody may join. */
export function BrowseView () {
  return null
}
