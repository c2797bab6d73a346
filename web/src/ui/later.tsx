import { useSignal } from '@preact/signals'
import type { ComponentChildren, FunctionComponent } from 'preact'
import { useEffect } from 'preact/hooks'
import { loadMoreText, t } from '../text.ts'
import { Button } from './button.tsx'
import { Empty } from './empty.tsx'
import { Loading } from './loading.tsx'
import { toast } from './toast.tsx'

/** A script that is loaded when it is first needed. `loaded` is there from then on, so that nobody waits for it again. */
export interface Part<Module> { loaded?: Module, load (): Promise<Module> }

/** Makes a part of a dynamic import. The texts of such parts are loaded with it. */
export function partOf<Module> (load: () => Promise<Module>): Part<Module> {
  const part: Part<Module> = {
    async load () {
      const [loaded] = await Promise.all([load(), loadMoreText()])
      part.loaded = loaded
      return loaded
    }
  }
  return part
}

/**
 * Makes a component of a part, which is loaded when the component is first shown. If that fails, it says so, and somebody may try again.
 * `frame` is put around what it shows until then.
 */
export function later<Module, Props extends object> (
  part: Part<Module>, pick: (module: Module) => FunctionComponent<Props>, frame = (content: ComponentChildren): ComponentChildren => content
): FunctionComponent<Props> {
  return function Later (props) {
    const state = useSignal<'loading' | 'loaded' | 'failed'>('loading')

    async function start (): Promise<void> {
      state.value = 'loading'
      try {
        await part.load()
        state.value = 'loaded'
      } catch {
        state.value = 'failed'
      }
    }

    useEffect(() => { if (!part.loaded) start() }, [])
    if (part.loaded) {
      const Loaded = pick(part.loaded)
      return <Loaded {...props} />
    }
    if (state.value !== 'failed') return <>{frame(<Loading />)}</>
    return <>{frame(<Empty icon='warning'><p>{t.common.notLoaded}</p><Button onClick={start}>{t.common.retry}</Button></Empty>)}</>
  }
}

/** Makes a function of a part, which is loaded when the function is first called. If that fails, a line says so and offers to try again. */
export function laterCall<Module, Args extends unknown[]> (
  part: Part<Module>, pick: (module: Module) => (...args: Args) => void
): (...args: Args) => void {
  let isLoading = false

  async function loadAndCall (args: Args): Promise<void> {
    // Somebody who presses a button twice gets one dialog.
    if (isLoading) return
    isLoading = true
    try {
      await part.load()
      call(...args)
    } catch (error) {
      console.warn('parley: a part of the app could not be loaded', error)
      toast(<>{t.common.notLoaded} <Button kind='link' onClick={() => call(...args)}>{t.common.retry}</Button></>)
    } finally {
      isLoading = false
    }
  }

  function call (...args: Args): void {
    if (part.loaded) pick(part.loaded)(...args)
    else loadAndCall(args)
  }

  return call
}
