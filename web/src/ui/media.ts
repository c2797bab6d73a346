import { useEffect, useState } from 'preact/hooks'

/** There is room for one column only. Must equal the media queries of the styles. */
export const PHONE = '(max-width: 44rem)'

/** Returns whether a media query holds, and renders anew when that changes. */
export function useMedia (query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const follow = (): void => setHolds(list.matches)
    follow()
    list.addEventListener('change', follow)
    return () => list.removeEventListener('change', follow)
  }, [query])
  return holds
}
