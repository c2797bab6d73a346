import type { ClientErrorCode, ErrorCode } from '@parley/client'

/** Texts of errors by their codes. */
export type Errors = Partial<Record<ErrorCode | ClientErrorCode, string>>
