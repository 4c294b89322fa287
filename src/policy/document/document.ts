import type { Problem } from '../problem.ts';

/**
 * Bounds on files, all of them far above what people write: an API server stores objects of at most 1.5 MiB, and takes requests of at
 * most 3 MiB.
 */
export const DOCUMENT_LIMITS = {
  /** Of a file, or of what comes in on stdin. */
  fileBytes: 10 << 20,
  documentBytes: 3 << 20,
  /** In one file, empty ones included. */
  documents: 10_000,
  /** Words, marks, spaces and line ends of a document: bounds the time to read it (seconds at most). */
  lexemes: 1_000_000,
  /** Characters and values of a document after its aliases are written out. */
  expandedSize: 3 << 20,
} as const;

/** A part of a file: lines and columns from 1, columns in UTF-16 units as editors and SARIF have them; the end is after the last one. */
export type Region = {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
};

/** Where a value was written: offsets in the text of its document. Values that an alias stands for share the members of its anchor. */
export type Place = {
  readonly start: number;
  readonly end: number;
  readonly members?: Members;
};

/** Of lists: by position. Of maps: by name, with the place of the name. */
export type Members = readonly Place[] | ReadonlyMap<string, { readonly name: Place; readonly value: Place }>;

export function isPlaceList(members: Members | undefined): members is readonly Place[] {
  return Array.isArray(members);
}

/** The text of one document of a file. */
export type DocumentText = {
  /** The name of the file alone: where lines are given, it is enough. */
  readonly file: string;
  /** For people: `policies.yaml`, or `policies.yaml#2` where a file has several documents. */
  readonly source: string;
  readonly text: string;
  /** Number of its first line in the file, from 1. */
  readonly firstLine: number;
};

/** An object that is a policy, or was meant as one: `parse` says what is wrong with it. */
export type PolicyDocument = {
  /** As in `DocumentText`; `policies.yaml#2.items[0]` for an object of a List. */
  readonly source: string;
  readonly object: unknown;
  readonly text: DocumentText;
  readonly place: Place;
};

/** An object of another kind, as Helm and Kustomize write them between policies. */
export type SkippedDocument = { readonly source: string; readonly line: number; readonly kind: string };

/** Something that is wrong in a file, with its place. */
export type LocatedProblem = { readonly file: string; readonly source: string; readonly region: Region; readonly problem: Problem };

export type ReadDocuments = {
  readonly documents: readonly PolicyDocument[];
  readonly skipped: readonly SkippedDocument[];
  /** Documents without content: what is left of a template whose condition is false. */
  readonly emptyCount: number;
  /** What is wrong with the text; documents that have such a problem are not among `documents`. */
  readonly problems: readonly LocatedProblem[];
};
