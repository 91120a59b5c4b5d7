import type { AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../clock.ts";

/** A table as the template has it; the properties have the same names in CloudFormation and in CreateTable. */
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

/** An event as a rule's target gets it: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
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
 * A statement of an identity policy as it stands in the synthesized template, with `Ref`, `Fn::GetAtt` and the like
 * already resolved. It is checked when the front door starts: an element, operator or condition key that the evaluator
 * does not know is an error, never ignored.
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

/** Who may call AWS: a function under its role, the platform's operator, a scheduler's role. */
export interface Principal {
  /** As calls, faults and messages name it: the function's name. */
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly statements: readonly IamStatement[];
}

/** One call that reached the front door and whose caller was known. */
export interface AwsCall {
  /** As in the credential scope: `dynamodb`, `sqs`, `s3`, `kms`, `events`, `cloudformation`. */
  readonly service: string;
  /** The operation's IAM action: `dynamodb:GetItem`. */
  readonly action: string;
  /** The first resource that it names; a queue, table, index, key, bucket, object or event bus ARN. */
  readonly resource: string;
  readonly principal: string;
  /** HTTP status of the answer; 0 where the connection was broken instead. */
  readonly status: number;
  /** Error code of the answer, if it was one that the front door itself gave (refusals, faults). */
  readonly code?: string;
  /** Epoch milliseconds by the platform's clock. */
  readonly at: number;
}

/** How calls are to go wrong. Faults are tried in the order they were given; the first that matches is used up first. */
export interface AwsFault {
  readonly service: string;
  /** With or without the service: `dynamodb:UpdateItem` or `UpdateItem`. Default: every action. */
  readonly action?: string;
  /** Default: every principal. */
  readonly principal?: string;
  /** How many calls, default 1; `Infinity` until `clearFaults`. */
  readonly count?: number;
  /** Let so many matching calls pass before the first fault, default 0. */
  readonly skip?: number;
  /** Answer this error instead of acting. Default status for a `code`: 400; default code for a status: the service's own. */
  readonly status?: number;
  readonly code?: string;
  /** Wait so long, in real milliseconds, before anything else. */
  readonly delayMs?: number;
  /** Called when such a call arrives, which goes on when this has resolved; first of all. */
  readonly hold?: () => Promise<unknown>;
  /** Called when such a call has been acted on; its answer is sent when this has resolved. */
  readonly holdAnswer?: () => Promise<unknown>;
  /** `before`: break the connection without acting; `after`: act, then break it without an answer. */
  readonly reset?: "before" | "after";
}

/** A policy action of a principal's statement and whether any call was ever allowed by it. */
export interface PolicyUse {
  readonly principal: string;
  readonly action: string;
  /** Resource pattern of the statement. */
  readonly resource: string;
}

export interface FrontDoorOptions {
  readonly clock: Clock;
  /** Tables, objects and keys are kept below it; made if missing. */
  readonly dataFolder: string;
  /** A function gets the front door's URL first, because queue URLs (and outputs that hold them) begin with it. */
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

/** The one place that AWS calls go to. */
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
  /** Takes an action from a principal until `restorePermissions`. @throws {Error} the principal has no statement with it */
  removePermission(principal: string, action: string): void;
  restorePermissions(): void;
  /** Each (principal, action, resource pattern) of an Allow statement that allowed at least one call. */
  usedActions(): readonly PolicyUse[];
  /** Each (principal, action, resource pattern) that Allow statements grant. */
  grantedActions(): readonly PolicyUse[];
  /**
   * Whether a principal may do what does not come through the front door, such as the schedule's role invoking a
   * function; counts as used.
   */
  isAllowed(principal: string, action: string, resource: string): boolean;
  queueUrl(name: string): string;
  queueDepth(name: string): Promise<QueueDepth>;
  /** The last events that were put on any bus, oldest first, at most 1,000. */
  events(): readonly BusEvent[];
  clearEvents(): void;
  /** Ends every socket at once, flushes the stores. */
  close(): Promise<void>;
}

/** Region and account of the local platform; they stand in every ARN. */
export const localRegion = "eu-west-1";
export const localAccountId = "000000000000";
