// What the package throws.

export type ProfErrorCode =
  | 'ERR_PROF_PERMISSION'
  | 'ERR_PROF_UNSUPPORTED_PLATFORM'
  | 'ERR_PROF_NO_PMU'
  | 'ERR_PROF_BAD_EVENT'
  | 'ERR_PROF_BAD_OPTION'
  | 'ERR_PROF_BUSY'
  | 'ERR_PROF_NOT_RUNNING'
  | 'ERR_PROF_TOO_MANY_FILES'
  | 'ERR_PROF_MEMORY_LOCK'
  | 'ERR_PROF_BAD_FILE'
  | 'ERR_PROF_INCONCLUSIVE'
  | 'ERR_PROF_NO_MEMORY'
  | 'ERR_PROF_SYSTEM';

/** Every error that the package throws on purpose. `message` is one line that says what to do. */
export class ProfError extends Error {
  constructor(
    code: ProfErrorCode,
    message: string,
    more?: { errno?: number; syscall?: string; cause?: unknown },
  );
  readonly code: ProfErrorCode;
  readonly errno?: number;
  readonly syscall?: string;
}
