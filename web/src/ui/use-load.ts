import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

/** Reads something from the server when the component appears. `reload` reads it again, and keeps the old value until then. */
export function useLoad<T> (read: (signal: AbortSignal) => Promise<T>) {
  const value = useSignal<T | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const runs = useSignal(0)
  useEffect(() => {
    const stop = new AbortController()
    error.value = undefined
    read(stop.signal).then(
      found => { if (!stop.signal.aborted) value.value = found },
      (failure: unknown) => { if (!stop.signal.aborted) error.value = failure }
    )
    return () => stop.abort()
  }, [runs.value])
  return { value, error: error.value, reload: () => { runs.value++ } }
}
