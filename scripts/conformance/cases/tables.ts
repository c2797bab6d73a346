import type { Case } from '../stage.ts'
import { check } from '../verdict.ts'

/** Cases about errors and close codes that no rule covers. Everything that other cases receive is compared with the same tables. */
export const cases: Case[] = [
  {
    rule: 'errors',
    title: 'errors that need no state have their codes, and repeat no more than 64 characters',
    async run ({ ann, connect, rest }) {
      const connection = await connect(ann)
      await connection.mustNot('nonsense', 'invalid_json')
      await connection.mustNot('[]', 'invalid_frame')
      const { message } = await connection.mustNot({ type: 'x'.repeat(100) }, 'unknown_type')
      check(message === `Unknown message type: ${'x'.repeat(64)}`, 'the type cut to 64 characters', message)
      await connection.mustNot({ command: 'nonsense' }, 'unknown_command')
      await rest.mustNot('GET', '/api/nonsense', 'not_found', { token: ann.token })
      await rest.mustNot('GET', '/api/me', 'not_authenticated')
    }
  },
  {
    rule: 'closes',
    title: 'ten unreadable frames close the connection with 4501',
    async run ({ open }) {
      const connection = open()
      await connection.opened()
      for (let n = 0; n < 10; n++) connection.send('nonsense')
      await connection.closes(4501, 'after ten unreadable frames')
    }
  }
]
