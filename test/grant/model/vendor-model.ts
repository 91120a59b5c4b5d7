/**
 * A vendor's side of refresh tokens, small enough to be judged.
 * N: does not rotate. S: rotates, and a token that comes twice ends its whole family. G: rotates, and the token before stays
 * good until the one after it was used. A: does not rotate, and gives a user who signs in again the token that lives.
 */
export type VendorKind = "N" | "S" | "G" | "A";

interface Token {
  readonly family: number;
  readonly parent: number;
  state: "living" | "graced" | "used" | "ended";
}

export class VendorModel {
  readonly kind: VendorKind;
  readonly #tokens = new Map<number, Token>();
  readonly #accounts = new Map<number, string>();

  constructor(kind: VendorKind) {
    this.kind = kind;
  }

  /** What a user's sign-in brings. */
  signIn(family: number, account: string): number {
    this.#accounts.set(family, account);
    const again =
      this.kind === "A"
        ? this.all().find((id) => this.isLiving(id) && this.accountOf(id) === account)
        : undefined;
    return again ?? this.#issue(family);
  }

  /** Whose sign-in a token came of. */
  accountOf(id: number): string {
    return this.#accounts.get(this.familyOf(id)) ?? "first";
  }

  #issue(family: number, parent = 0): number {
    const id = this.#tokens.size + 1;
    this.#tokens.set(id, { family, parent, state: "living" });
    return id;
  }

  /** @returns the refresh token from here on, or 0: invalid_grant */
  refresh(id: number): number {
    const token = this.#token(id);
    if (this.kind === "N" || this.kind === "A") return token.state === "living" ? id : 0;
    if (token.state === "living") {
      const next = this.#issue(token.family, id);
      token.state = this.kind === "G" ? "graced" : "used";
      const parent = this.#tokens.get(token.parent);
      if (parent?.state === "graced") parent.state = "used";
      return next;
    }
    if (token.state === "graced") return this.#issue(token.family, id);
    if (token.state === "used") {
      for (const other of this.#tokens.values()) if (other.family === token.family) other.state = "ended";
    }
    return 0;
  }

  revoke(id: number): void {
    this.#token(id).state = "ended";
  }

  isUsable(id: number): boolean {
    const { state } = this.#token(id);
    return state === "living" || state === "graced";
  }

  isLiving(id: number): boolean {
    return this.#token(id).state === "living";
  }

  /** Revoked, or of a family that was: no access token that came with it is good any more. */
  isEnded(id: number): boolean {
    return this.#token(id).state === "ended";
  }

  familyOf(id: number): number {
    return this.#token(id).family;
  }

  all(): number[] {
    return [...this.#tokens.keys()];
  }

  #token(id: number): Token {
    const token = this.#tokens.get(id);
    if (token === undefined) throw new Error(`the vendor never issued token ${id}`);
    return token;
  }
}
