/** A rescue record that this version cannot read: cut, or written by a newer version. */
export class UnreadableRecord extends Error {
  /** When the bucket took it, epoch milliseconds; absent: unknown. */
  readonly writtenAt: number | undefined;

  constructor(why: string, writtenAt: number | undefined) {
    super(`a rescue record cannot be read: ${why}`);
    this.name = "UnreadableRecord";
    this.writtenAt = writtenAt;
  }
}
