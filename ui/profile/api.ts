// ui/profile/api.ts - the answers of pprof -http, as docs/api.md has them.
// Room: types only; those of options and calls come from the server's own tables.
import type { CommandName, OptionKey, OptionName } from '../generated/tables.ts';

export interface Told {
  type: string;
  unit: string;
  total: number;
  warnings?: string[];
}

export interface SampleType {
  name: string;
  unit: string;
  total: number;
}

export interface LabelKey {
  key: string;
  n_values: number;
  is_numeric: boolean;
}

export interface Summary extends Told {
  source: number;
  title: string;
  shown: number;
  is_diff: boolean;
  types: SampleType[];
  period: { type: string; unit: string; value: number };
  time_nanos: number;
  duration_nanos: number;
  n_samples: number;
  n_locations: number;
  n_functions: number;
  n_mappings: number;
  n_unsymbolized: number;
  labels: LabelKey[];
  doc_url: string;
}

export interface FlameFrame {
  id: number;
  name: string;
  file: string;
  line: number;
  binary: string;
}

export interface FlameColumns {
  depth: number[];
  frame: number[];
  total: number[];
  self: number[];
  hidden: number[];
  n_hidden: number[];
  inlined: number[];
  base?: number[];
  base_self?: number[];
}

export interface Flame extends Told {
  view: 'down' | 'up' | 'pivot';
  scale: number;
  is_diff: boolean;
  frames: FlameFrame[];
  matches?: number[];
  down?: FlameColumns; // absent when the view is "up"
  up?: FlameColumns; // absent when it is "down"
}

export interface TopRow {
  name: string;
  flat: number;
  cum: number;
  inlined: string;
}
export interface Top extends Told {
  n: number;
  off: number;
  flat_before: number;
  rows: TopRow[];
}

export interface PeekEnd {
  name: string;
  weight: number;
  inlined: boolean;
}
export interface Peek extends Told {
  f: string;
  rows: { name: string; flat: number; cum: number; callers: PeekEnd[]; callees: PeekEnd[] }[];
}

export interface Graph extends Told {
  rows: { name: string; flat: number; cum: number }[]; // row i is the node N{i+1} of the DOT text
  edges: { from: number; to: number; weight: number; inlined: boolean; residual: boolean }[];
}

export interface Instruction {
  address: string;
  text: string;
  file: string;
  line: number;
  flat: number;
  cum: number;
  depth: number;
  starts_block: boolean;
  calls?: { file: string; line: number; text: string; depth: number }[];
}
export interface SourceLine {
  line: number;
  flat: number;
  cum: number;
  text: string;
  code: Instruction[];
}
export interface SourceFunction {
  name: string;
  file: string;
  flat: number;
  cum: number;
  lines: SourceLine[];
}
export interface Source extends Told {
  f: string;
  rows: SourceFunction[];
}

export interface Disasm extends Told {
  f: string;
  rows: {
    name: string;
    aliases?: string[]; // other names of the same code
    start: string;
    flat: number;
    cum: number;
    lines: { address: string; flat: number; cum: number; text: string; function: string; file: string; line: number }[];
  }[];
}

export interface Tags extends Told {
  off: number;
  keys: { key: string; n: number; total: number }[];
  rows: { key: string; value: string; weight: number }[]; // by key and weight
}

export interface Stack {
  value: number;
  labels: Record<string, (string | number)[]>;
  frames: { name: string; inlined: boolean }[];
}
export interface Traces extends Told {
  n: number;
  off: number;
  label_units: Record<string, string>;
  rows: Stack[];
}

export interface Mapping {
  start: string;
  limit: string;
  offset: string;
  file: string;
  build_id: string;
  has_functions: boolean;
  has_filenames: boolean;
  has_line_numbers: boolean;
  has_inline_frames: boolean;
  n_locations: number;
  n_unsymbolized: number;
}
export interface Facts {
  mappings: Mapping[];
  comments: string[];
  drop_frames: string;
  keep_frames: string;
  default_sample_type: string;
  doc_url: string;
}

export interface Search extends Told {
  n: number;
  cum: number;
  self: number;
  frames: { id: number; name: string; cum: number; self: number }[];
}

export interface Option {
  name: OptionName;
  key: OptionKey | ''; // empty: of the command line only
  type: 'bool' | 'int' | 'float' | 'string' | 'choice';
  default: string;
  is_saved: boolean;
  help: string;
  choices: { name: string; help: string }[];
}
export interface Options {
  options: Option[];
  commands: { name: CommandName; takes: string; help: string }[];
}

export interface Configs {
  configs: { name: string; query: string; is_current: boolean; is_saved: boolean }[];
}

export interface Sources {
  sources: { id: number; name: string; fetched_nanos: number; total: number; n_samples: number; is_newest: boolean }[];
  can_refresh: boolean;
  is_refreshing: boolean;
  error: string;
}

export interface Command {
  command: string;
  query: string;
}
