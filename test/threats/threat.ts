/** One row of the threat table: what somebody may try, what stops it, and the test that says so. */
export interface Threat {
  /** Short and stable; names the row on the command line. */
  readonly id: string;
  readonly threat: string;
  /** Where it is described: `RFC 9700 4.5.1`, `OWASP API1`, `own`. */
  readonly from: readonly string[];
  readonly guard: {
    /** From the project's root. */
    readonly file: string;
    /** The function, class or constant that is the guard. */
    readonly name: string;
  };
  readonly test: {
    readonly file: string;
    /** As it stands in the file, placeholders of `it.each` included. */
    readonly name: string;
  };
  /** How the guard is taken out of its file; `find` stands there exactly once. */
  readonly takenOut: { readonly find: string; readonly put: string };
}
