export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell's completion script: it asks the program itself what may come next. */
export function completionScript(shell: string): string | undefined {
  const known = SHELLS.find((name) => name === shell);
  return known && SCRIPTS[known];
}

const SCRIPTS = {
  bash: `# havre completion for bash
_havre() {
  local IFS=$'\\n' words
  words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($(compgen -W "$(havre __complete -- "\${words[@]}" 2>/dev/null | cut -f1)" -- "\${COMP_WORDS[COMP_CWORD]}"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then compopt -o default 2>/dev/null; fi
}
complete -F _havre havre
`,
  zsh: `#compdef havre
# havre completion for zsh
_havre() {
  local -a answers
  local line
  while IFS=$'\\t' read -r line description; do
    answers+=("\${line//:/\\\\:}\${description:+:$description}")
  done < <(havre __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#answers} )); then _describe 'havre' answers; else _files; fi
}
compdef _havre havre
`,
  fish: `# havre completion for fish
function __havre_complete
  set -l words (commandline -opc) (commandline -ct)
  havre __complete -- $words[2..-1] 2>/dev/null
end
complete -c havre -a '(__havre_complete)'
`,
} as const;
