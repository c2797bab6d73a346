import { t } from '../text.ts'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { JUMP_KEYS } from './keys.ts'

/** Lists the keys that do something everywhere. */
export function openShortcuts (): void {
  openDialog(close => (
    <Dialog title={t.shortcuts.title} onClose={close}>
      <dl class='shortcuts'>
        {list().map(([about, ...keys]) => (
          <div key={about}><dt>{about}</dt><dd>{keys.map(key => <kbd key={key}>{key}</kbd>)}</dd></div>
        ))}
      </dl>
    </Dialog>
  ))
}

function list (): Array<[about: string, ...keys: string[]]> {
  const { jump, previousNext, nextUnread, send, lineBreak, editLast, list } = t.shortcuts
  return [
    [jump, JUMP_KEYS],
    [previousNext, 'Alt ↑', 'Alt ↓'],
    [nextUnread, 'Alt Shift ↓'],
    [send, 'Enter'],
    [lineBreak, 'Shift Enter'],
    [editLast, '↑'],
    [list, '?']
  ]
}
