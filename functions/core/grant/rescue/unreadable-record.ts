/** A rescue record that this version cannot read: incomplete, or written by a newer version. */
export class UnreadableRecord extends Error {
  /** When the record was written to the bucket, epoch milliseconds. Absent: unknown. */
  readonly writtenAt: number | undefined;

  constructor(why: string, writtenAt: number | undefined) {
    super(`a rescue record cannot be read: ${why}`);
    this.name = "UnreadableRecord";
    this.writtenAt = writtenAt;
  }
}
