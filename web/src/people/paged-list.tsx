import type { ComponentChildren } from 'preact'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Loading } from '../ui/loading.tsx'
import type { Pages } from './pages.ts'

/** Shows a list that is read page by page: while it is read, when it is empty, when it cannot be read, and what more there is. */
export function PagedList<T> ({ pages, empty, children }: {
  pages: Pages<T>, empty: string, children (items: readonly T[]): ComponentChildren
}) {
  const { items, hasMore, isLoading, isRead, error } = pages.list.value
  if (error && !isRead) {
    return (
      <div class='form'>
        <p class='form-error' role='alert'>{error}</p>
        <div><Button onClick={() => pages.refresh()}>{t.common.retry}</Button></div>
      </div>
    )
  }
  if (!isRead) return <Loading />
  return (
    <>
      {items.length > 0 ? children(items) : <p class='nothing soft'>{empty}</p>}
      {error && <p class='form-error' role='alert'>{error}</p>}
      {hasMore && <Button disabled={isLoading} onClick={() => pages.more()}>{t.people.showMore}</Button>}
    </>
  )
}
