// ui/profile/highlight.ts - words of source in colour: C and C++, Go, Rust, Java, JavaScript, Python.
// Room: one line at a time, without memory of the lines before: a block comment is told by its " * " only. Loaded when the
// first source is shown.

const words = {
  c: 'alignas|auto|bool|break|case|catch|char|class|const|constexpr|continue|default|delete|do|double|else|enum|extern|final|float|for|friend|goto|if|inline|int|long|mutable|namespace|new|noexcept|nullptr|operator|override|private|protected|public|register|restrict|return|short|signed|sizeof|static|struct|switch|template|this|throw|try|typedef|typename|union|unsigned|using|virtual|void|volatile|while|true|false|NULL|size_t|u?int(?:8|16|32|64)_t',
  go: 'break|case|chan|const|continue|default|defer|else|fallthrough|for|func|go|goto|if|import|interface|map|package|range|return|select|struct|switch|type|var|nil|true|false|iota|bool|byte|error|float32|float64|u?int(?:8|16|32|64)?|rune|string|uintptr|any',
  rust: 'as|async|await|break|const|continue|crate|dyn|else|enum|extern|false|fn|for|if|impl|in|let|loop|match|mod|move|mut|pub|ref|return|self|Self|static|struct|super|trait|true|type|unsafe|use|where|while|[iu](?:8|16|32|64|128|size)|f32|f64|bool|str|String|Option|Vec',
  java: 'abstract|boolean|break|byte|case|catch|char|class|const|continue|default|do|double|else|enum|extends|final|finally|float|for|if|implements|import|instanceof|int|interface|long|native|new|package|private|protected|public|return|short|static|super|switch|synchronized|this|throw|throws|try|void|volatile|while|true|false|null|let|var|function|async|await|of|typeof|undefined|export|from',
  python: 'and|as|assert|async|await|break|class|continue|def|del|elif|else|except|False|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|self|True|try|while|with|yield',
};

type Language = keyof typeof words;
const endings: Record<string, Language> = { go: 'go', rs: 'rust', java: 'java', kt: 'java', scala: 'java', js: 'java', ts: 'java', mjs: 'java', py: 'python', pyx: 'python' };
const matchers = new Map<Language, RegExp>();

// Groups: 1 comment, 2 text, 3 number, 4 word of the language, 5 a call, 6 a preprocessor line.
function matcher(language: Language): RegExp {
  let made = matchers.get(language);
  if (!made) {
    const comment = language === 'python' ? '#.*' : '//.*|/\\*.*?(?:\\*/|$)|^\\s*\\*(?:\\s.*|/.*)?$';
    const preprocessor = language === 'c' ? '^\\s*#\\s*\\w+' : '(?!)';
    const text = '"(?:\\\\.|[^"\\\\])*"?|`[^`]*`?' + (language === 'rust' ? "|'(?:\\\\.|[^'\\\\])'" : "|'(?:\\\\.|[^'\\\\])*'?");
    made = new RegExp(`(${comment})|(${text})|\\b(0[xX][\\da-fA-F_']+|\\d[\\d_.'eExX]*[uUlLfF]*)\\b|\\b(${words[language]})\\b|([A-Za-z_]\\w*)(?=\\s*\\()|(${preprocessor})`, 'g');
    matchers.set(language, made);
  }
  return made;
}

const classes = ['', 'hl-comment', 'hl-text', 'hl-number', 'hl-word', 'hl-call', 'hl-pre'];

export function highlight(line: string, file: string): Node[] {
  const language = endings[file.slice(file.lastIndexOf('.') + 1).toLowerCase()] ?? 'c';
  const out: Node[] = [];
  let at = 0;
  for (const match of line.matchAll(matcher(language))) {
    const kind = match.slice(1).findIndex((group) => group !== undefined) + 1;
    if (match.index > at) out.push(document.createTextNode(line.slice(at, match.index)));
    const span = document.createElement('span');
    span.className = classes[kind] ?? '';
    span.textContent = match[0];
    out.push(span);
    at = match.index + match[0].length;
  }
  out.push(document.createTextNode(line.slice(at)));
  return out;
}
