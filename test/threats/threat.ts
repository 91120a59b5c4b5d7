/** One row of the threat table: an attack, the guard that stops the attack, and the test of the guard. */
export interface Threat {
  /** Short and stable; names the row on the command line. */
  readonly id: string;
  readonly threat: string;
  /** Where the attack is described: `RFC 9700 4.5.1`, `OWASP API1`, `own`. */
  readonly from: readonly string[];
  readonly guard: {
    /** Path from the project's root. */
    readonly file: string;
    /** The function, class or constant that is the guard. */
    readonly name: string;
  };
  readonly test: {
    readonly file: string;
    /** The title as the file has it, with placeholders of `it.each`. */
    readonly name: string;
  };
  /** How the guard is taken out of its file; the file contains `find` exactly once. */
  readonly takenOut: { readonly find: string; readonly put: string };
}
