import type { AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../clock.ts";

/** A table of the template; its properties have the same names in CloudFormation and in CreateTable. */
export interface AwsTable {
  readonly name: string;
  readonly keySchema: readonly KeySchemaElement[];
  readonly attributeDefinitions: readonly AttributeDefinition[];
  readonly globalSecondaryIndexes?: readonly GlobalSecondaryIndex[];
}

export interface AwsQueue {
  readonly name: string;
  /** Seconds, default 30 as in SQS. */
  readonly visibilityTimeout?: number;
  /** Seconds, default 4 days as in SQS. */
  readonly messageRetentionPeriod?: number;
  /** Seconds. */
  readonly delay?: number;
  readonly redrive?: { readonly deadLetterQueue: string; readonly maxReceiveCount: number };
}

export interface AwsBucket {
  readonly name: string;
}

/** A customer-managed key of KMS. Its material is made at the first start and kept in the data folder. */
export interface AwsKey {
  readonly id: string;
  readonly arn: string;
}

/** A bus of EventBridge. */
export interface AwsEventBus {
  readonly name: string;
}

/**
 * An event in the shape that a rule's target receives:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 */
export interface BusEvent {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AwsStack {
  readonly name: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface AwsResources {
  readonly tables: readonly AwsTable[];
  readonly queues: readonly AwsQueue[];
  readonly buckets: readonly AwsBucket[];
  readonly keys: readonly AwsKey[];
  readonly eventBuses: readonly AwsEventBus[];
  readonly stacks: readonly AwsStack[];
}

/**
 * A statement of an identity policy of the synthesized template, with `Ref`, `Fn::GetAtt` and similar
 * functions already resolved. The front door checks it when it starts: an element, operator or condition
 * key that the evaluator does not know is an error.
 */
export interface IamStatement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | boolean | readonly (string | boolean)[]>>>
  >;
}

/** A caller of AWS: a function with its role, the platform's operator, or a scheduler's role. */
export interface Principal {
  /** The name in calls, faults and messages; for a function, the function's name. */
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly statements: readonly IamStatement[];
}

/** One call of a known caller that reached the front door. */
export interface AwsCall {
  /** Name in the credential scope: `dynamodb`, `sqs`, `s3`, `kms`, `events`, `cloudformation`. */
  readonly service: string;
  /** The operation's IAM action: `dynamodb:GetItem`. */
  readonly action: string;
  /**
   * ARN of the first resource of the call: a queue, table, index, key, bucket, object, event bus or stack.
   */
  readonly resource: string;
  readonly principal: string;
  /** HTTP status of the answer; 0 if the connection was broken instead. */
  readonly status: number;
  /** Error code of an answer that the front door or a service threw as an error (refusals, faults). */
  readonly code?: string;
  /** Epoch milliseconds by the platform's clock. */
  readonly at: number;
}

/**
 * How calls shall fail. Faults are tried in the order in which they were added; the first that matches is
 * used.
 */
export interface AwsFault {
  readonly service: string;
  /** With or without the service: `dynamodb:UpdateItem` or `UpdateItem`. Default: every action. */
  readonly action?: string;
  /** Default: every principal. */
  readonly principal?: string;
  /** Number of matching calls that get the fault, default 1; `Infinity`: all until `clearFaults`. */
  readonly count?: number;
  /** Number of matching calls that pass before the first fault, default 0. */
  readonly skip?: number;
  /**
   * Answers this error and does not act. Default status for a `code`: 400; default code for a status: the
   * service's own.
   */
  readonly status?: number;
  readonly code?: string;
  /** Real milliseconds to wait before the call acts or fails. */
  readonly delayMs?: number;
  /** Called first when a matching call arrives; the call continues when the promise resolves. */
  readonly hold?: () => Promise<unknown>;
  /** Called after a matching call has acted; the answer is sent when the promise resolves. */
  readonly holdAnswer?: () => Promise<unknown>;
  /**
   * `before`: breaks the connection without acting; `after`: acts, then breaks the connection without an
   * answer.
   */
  readonly reset?: "before" | "after";
}

/** An action and a resource pattern of a principal's Allow statement. */
export interface PolicyUse {
  readonly principal: string;
  readonly action: string;
  /** Resource pattern of the statement. */
  readonly resource: string;
}

export interface FrontDoorOptions {
  readonly clock: Clock;
  /** Folder of tables, objects and keys; it is made if missing. */
  readonly dataFolder: string;
  /**
   * A function is called with the front door's URL, because queue URLs (and outputs that hold them) begin
   * with it.
   */
  readonly resources: AwsResources | ((url: string) => AwsResources);
  readonly principals: readonly Principal[] | ((url: string) => readonly Principal[]);
  /** Default 0: any free port. */
  readonly port?: number;
}

export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** The only server for AWS calls. */
export interface FrontDoor {
  /** `http://127.0.0.1:<port>`, for AWS_ENDPOINT_URL. */
  readonly url: string;
  readonly port: number;
  readonly region: string;
  readonly accountId: string;
  /** The last calls, oldest first, at most 10,000. */
  calls(): readonly AwsCall[];
  clearCalls(): void;
  fail(fault: AwsFault): void;
  clearFaults(): void;
  /**
   * Removes an action from a principal until `restorePermissions`.
   * @throws {Error} the principal has no statement with it
   */
  removePermission(principal: string, action: string): void;
  restorePermissions(): void;
  /** Each (principal, action, resource pattern) of an Allow statement that allowed at least one call. */
  usedActions(): readonly PolicyUse[];
  /** Each (principal, action, resource pattern) that Allow statements grant. */
  grantedActions(): readonly PolicyUse[];
  /**
   * Whether a principal may perform an action that does not come through the front door, such as an
   * invocation of a function by the schedule's role; counts as used.
   */
  isAllowed(principal: string, action: string, resource: string): boolean;
  queueUrl(name: string): string;
  queueDepth(name: string): Promise<QueueDepth>;
  /** The last events that were put on any bus, oldest first, at most 1,000. */
  events(): readonly BusEvent[];
  clearEvents(): void;
  /** Breaks all connections, waits for running operations, then closes the stores. */
  close(): Promise<void>;
}

/** Region and account of the local platform; every ARN contains them. */
export const localRegion = "eu-west-1";
export const localAccountId = "000000000000";
