import type { PrismaClient } from '../generated/prisma/client.ts'
import type { Database, Query } from '../store/client.ts'

/** Switches a database off and on. */
export interface DatabaseSwitch { wrap (database: Database): Database, turn (isOn: boolean): void }

/**
 * Makes a switch for the embedded database, which has no connections that could be cut. While it is off, each statement is refused with the
 * error of a PostgreSQL that has ended.
 */
export function createDatabaseSwitch (): DatabaseSwitch {
  let isOn = true
  function check (): void {
    if (!isOn) throw Object.assign(new Error('the test has stopped the database'), { code: '57P03' })
  }
  return {
    wrap (database) {
      const prisma = database.prisma.$extends({
        query: {
          async $allOperations ({ args, query }) {
            check()
            return query(args)
          }
        }
      }) as unknown as PrismaClient
      const query: Query = async (text, values) => {
        check()
        return database.query(text, values)
      }
      return { ...database, prisma, query, get full () { return database.full } }
    },
    turn (value) { isOn = value }
  }
}
