import type { ComponentChildren } from 'preact'
import { useId, useRef } from 'preact/hooks'

export interface Tab<Id extends string> { id: Id, label: string, badge?: number }

/** Tabs, of which one is shown. The arrow keys move between them. `children` is the panel of the tab that is shown. */
export function Tabs<Id extends string> ({ label, tabs, shown, onShow, children }: {
  label: string, tabs: Array<Tab<Id>>, shown: Id, onShow (id: Id): void, children: ComponentChildren
}) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)

  function onKeyDown (event: KeyboardEvent): void {
    const at = tabs.findIndex(tab => tab.id === shown)
    const right = getComputedStyle(list.current!).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
    const left = right === 'ArrowRight' ? 'ArrowLeft' : 'ArrowRight'
    const to = { [right]: at + 1, [left]: at - 1, Home: 0, End: -1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    const next = tabs.at(to % tabs.length)!
    onShow(next.id)
    list.current!.querySelector<HTMLElement>(`[data-tab='${next.id}']`)?.focus()
  }

  return (
    <>
      <div ref={list} class='tabs' role='tablist' aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(tab => (
          <button
            key={tab.id} type='button' role='tab' id={`${id}-${tab.id}`} data-tab={tab.id} aria-selected={tab.id === shown}
            aria-controls={`${id}-panel`} tabIndex={tab.id === shown ? 0 : -1} onClick={() => onShow(tab.id)}
          >
            {tab.label}
            {tab.badge ? <span class='badge'>{tab.badge > 99 ? '99+' : tab.badge}</span> : null}
          </button>
        ))}
      </div>
      <div class='tab-panel' role='tabpanel' id={`${id}-panel`} aria-labelledby={`${id}-${shown}`} tabIndex={0}>{children}</div>
    </>
  )
}
