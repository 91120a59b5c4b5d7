/**
 * A model of a vendor's refresh tokens.
 * N: does not rotate. S: rotates, and a token that comes twice ends its whole family. G: rotates, and the old token stays
 * valid until the new one is used. A: does not rotate, and gives a user who signs in again the token that is still valid.
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

  /** The refresh token of a user's sign-in. */
  signIn(family: number, account: string): number {
    this.#accounts.set(family, account);
    const again =
      this.kind === "A"
        ? this.all().find((id) => this.isLiving(id) && this.accountOf(id) === account)
        : undefined;
    return again ?? this.#issue(family);
  }

  /** The account with whose sign-in a token began. */
  accountOf(id: number): string {
    return this.#accounts.get(this.familyOf(id)) ?? "first";
  }

  #issue(family: number, parent = 0): number {
    const id = this.#tokens.size + 1;
    this.#tokens.set(id, { family, parent, state: "living" });
    return id;
  }

  /** @returns the refresh token that is valid now, or 0: invalid_grant */
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

  /** The token, or its family, was revoked, so no access token that came with it is valid. */
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
