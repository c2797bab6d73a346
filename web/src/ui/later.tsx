import { useSignal } from '@preact/signals'
import type { FunctionComponent } from 'preact'
import { useEffect } from 'preact/hooks'
import { t } from '../text.ts'
import { Button } from './button.tsx'
import { Empty } from './empty.tsx'
import { Loading } from './loading.tsx'

/** Makes a component whose script is loaded when it is first shown. If that fails, it says so, and somebody may try again. */
export function later<Props extends object> (load: () => Promise<FunctionComponent<Props>>): FunctionComponent<Props> {
  let Loaded: FunctionComponent<Props> | undefined
  return function Later (props) {
    const state = useSignal<'loading' | 'loaded' | 'failed'>('loading')

    async function start (): Promise<void> {
      state.value = 'loading'
      try {
        Loaded = await load()
        state.value = 'loaded'
      } catch {
        state.value = 'failed'
      }
    }

    useEffect(() => { if (!Loaded) start() }, [])
    if (Loaded) return <Loaded {...props} />
    if (state.value !== 'failed') return <Loading />
    return <Empty icon='warning'><p>{t.common.notLoaded}</p><Button onClick={start}>{t.common.retry}</Button></Empty>
  }
}
