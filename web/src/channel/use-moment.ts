import { useEffect, useReducer } from 'preact/hooks'

/** The longest time that a timer of a browser can wait. */
const LONGEST = 2 ** 31 - 1

/** Returns a moment in milliseconds since 1970 as long as it is to come, and renders anew when it has come. */
export function useMoment (time: string | null | undefined): number | undefined {
  const [, renderAgain] = useReducer((count: number) => count + 1, 0)
  const at = time ? Date.parse(time) : undefined
  useEffect(() => {
    if (at === undefined || at <= Date.now()) return
    const timer = setTimeout(renderAgain, Math.min(at - Date.now() + 50, LONGEST), undefined)
    return () => clearTimeout(timer)
  }, [at])
  return at !== undefined && at > Date.now() ? at : undefined
}
