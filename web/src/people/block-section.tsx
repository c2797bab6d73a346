import type { Person } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { attempt } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'
import { block, blocks, readBlocks } from './blocks.ts'

/** Blocks a person or takes it back, and says what that means. */
export function BlockSection ({ person: { user_id: id, username: name } }: { person: Person }) {
  const isBusy = useSignal(false)
  useEffect(() => { attempt(readBlocks) }, [])
  if (!blocks.value) return null
  const isBlocked = blocks.value.has(id)

  async function toggle (): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    if (await attempt(() => block(id, !isBlocked))) toast(isBlocked ? t.people.unblocked(name) : t.people.blocked(name))
    isBusy.value = false
  }

  return (
    <section class='card-section'>
      <p class='soft small' dir='auto'>{isBlocked ? t.people.aboutUnblock(name) : t.people.aboutBlock(name)}</p>
      <Button kind={isBlocked ? undefined : 'danger'} aria-disabled={isBusy.value} onClick={toggle}>
        {isBlocked ? t.people.unblock : t.people.block}
      </Button>
    </section>
  )
}
