import { useSignal } from '@preact/signals'
import type { ComponentChildren, FunctionComponent } from 'preact'
import { useEffect } from 'preact/hooks'
import { loadMoreText, t } from '../text.ts'
import { Button } from './button.tsx'
import { Empty } from './empty.tsx'
import { Loading } from './loading.tsx'
import { toast } from './toast.tsx'

/**
 * Makes a component whose script and texts are loaded when it is first shown. If that fails, it says so, and somebody may try again.
 * `frame` is put around what it shows until then.
 */
export function later<Props extends object> (
  load: () => Promise<FunctionComponent<Props>>, frame = (content: ComponentChildren): ComponentChildren => content
): FunctionComponent<Props> {
  let Loaded: FunctionComponent<Props> | undefined
  return function Later (props) {
    const state = useSignal<'loading' | 'loaded' | 'failed'>('loading')

    async function start (): Promise<void> {
      state.value = 'loading'
      try {
        Loaded = await withText(load)
        state.value = 'loaded'
      } catch {
        state.value = 'failed'
      }
    }

    useEffect(() => { if (!Loaded) start() }, [])
    if (Loaded) return <Loaded {...props} />
    if (state.value !== 'failed') return <>{frame(<Loading />)}</>
    return <>{frame(<Empty icon='warning'><p>{t.common.notLoaded}</p><Button onClick={start}>{t.common.retry}</Button></Empty>)}</>
  }
}

/** Makes a function whose script and texts are loaded when it is first called. If that fails, a line says so and offers to try again. */
export function laterCall<Args extends unknown[]> (load: () => Promise<(...args: Args) => void>): (...args: Args) => void {
  let isLoading = false
  return async function call (...args) {
    // Somebody who presses a button twice gets one dialog.
    if (isLoading) return
    isLoading = true
    try {
      const loaded = await withText(load)
      loaded(...args)
    } catch (error) {
      console.warn('parley: a part of the app could not be loaded', error)
      toast(<>{t.common.notLoaded} <Button kind='link' onClick={() => call(...args)}>{t.common.retry}</Button></>)
    } finally {
      isLoading = false
    }
  }
}

/** Parts that are loaded later have texts that are loaded with them. */
async function withText<T> (load: () => Promise<T>): Promise<T> {
  const [loaded] = await Promise.all([load(), loadMoreText()])
  return loaded
}
