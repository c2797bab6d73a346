import { parley } from '../client.ts'
import { go } from '../route.ts'
import { confirm } from '../ui/confirm.tsx'
import type { IconName } from '../ui/icon.tsx'
import type { MenuItem } from '../ui/menu.tsx'
import { openDialog } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.tsx'
import { focusTitle } from './focus.ts'
import { openCode } from './code-dialog.tsx'
import { a } from './text.ts'
import { EraseDialog } from './erase-dialog.tsx'
import type { Account } from './users.tsx'

type Act = keyof typeof a.users.do

/** Returns what an administrator may do to an account. Each act asks once more. `onChanged` is called when it is done. */
export function actsOn ({ id, name, role, disabled_at: disabledAt }: Account, onChanged: () => Promise<void>): MenuItem[] {
  const params = { id }
  const isMe = id === parley.account.getSnapshot()?.user_id

  const ask = (act: Act, isDanger: boolean, run: () => Promise<unknown>): void => {
    const { title, about, button, done } = a.users.do[act]
    confirm({
      title: title(name), text: about(name), act: button, isDanger,
      async onConfirm () {
        await run()
        toast(done(name))
        await onChanged()
      }
    })
  }
  const reset = (): void => confirm({
    ...a.users.reset(name),
    async onConfirm () {
      const { code, link, expires_at: end } = await parley.rest('POST /api/admin/users/:id/reset', { params })
      openCode({ title: a.users.resetTitle(name), about: a.users.aboutCode(name), code, link, end })
    }
  })
  const eraseThem = (): void => {
    openDialog(close => (
      <EraseDialog
        name={name} onClose={close}
        act={async () => {
          await parley.rest('DELETE /api/admin/users/:id', { params })
          toast(a.users.erased(name))
          focusTitle()
          await onChanged()
        }}
      />
    ))
  }

  const change = (body: { role?: Account['role'], disabled?: boolean }) => () => parley.rest('PATCH /api/admin/users/:id', { params, body })
  const offer = (icon: IconName, act: Act, isDanger: boolean, run: () => Promise<unknown>): MenuItem => (
    { icon, label: a.users.do[act].offer, isDanger, onSelect: () => ask(act, isDanger, run) }
  )
  return [
    { icon: 'link', label: a.users.connections, onSelect: () => go({ view: 'admin', section: `connections/${id}` }) },
    ...role === 'admin' ? [] : [offer('admin', 'makeAdmin', false, change({ role: 'admin' }))],
    ...role === 'moderator' ? [] : [offer('flag', 'makeModerator', false, change({ role: 'moderator' }))],
    ...role === 'user' ? [] : [offer('person', 'makeUser', false, change({ role: 'user' }))],
    { icon: 'key', label: a.users.resetOffer, onSelect: reset },
    offer('offline', 'disconnect', false, () => parley.rest('DELETE /api/admin/users/:id/connections', { params })),
    ...disabledAt ? [offer('check', 'enable', false, change({ disabled: false }))] : [],
    ...isMe || disabledAt ? [] : [offer('block', 'disable', true, change({ disabled: true }))],
    ...isMe ? [] : [{ icon: 'trash' as const, label: a.users.eraseOffer, isDanger: true, onSelect: eraseThem }]
  ]
}
