export const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** A script that asks the program itself at every completion, so that it knows what the program knows. */
export function completionScript(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell]
}

const BASH = `# bash completion for glovebox
_glovebox() {
  local line=\${COMP_LINE:0:COMP_POINT} kind='' answer i
  local -a words=()
  # bash cuts words at colons and equals signs as well: the line itself tells them whole. Nothing in it is expanded.
  read -r -a words <<<"$line"
  case $line in *[[:blank:]]) words+=('') ;; esac
  local current=\${words[\${#words[@]} - 1]} last=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r answer; do
    case $answer in
      :*) kind=$answer ;;
      *) COMPREPLY+=("\${answer%%$'\\t'*}") ;;
    esac
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
  case $kind in
    :files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$last"); return ;;
    :directories) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$last"); return ;;
  esac
  # What stands before the last colon or equals sign is on the line already.
  local head=\${current%"\${current##*[:=]}"}
  if [ -n "$head" ]; then
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"$head"}; done
  fi
}
complete -F _glovebox glovebox
`
const ZSH = `#compdef glovebox
# zsh completion for glovebox
_glovebox() {
  local answer kind='' word
  local -a answers values descriptions
  answers=("\${(@f)$("\${words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for answer in "\${answers[@]}"; do
    case $answer in
      :*) kind=$answer ;;
      ?*)
        word=\${answer%%$'\\t'*}
        values+=("$word")
        if [[ $answer == *$'\\t'* ]]; then descriptions+=("$word -- \${answer#*$'\\t'}"); else descriptions+=("$word"); fi
        ;;
    esac
  done
  if (( \${#values} )); then compadd -l -d descriptions -a values; fi
  case $kind in
    :files) _files ;;
    :directories) _files -/ ;;
  esac
}
if [ "$funcstack[1]" = _glovebox ]; then _glovebox "$@"; else compdef _glovebox glovebox; fi
`
const FISH = `# fish completion for glovebox
function __glovebox_complete
    set -l words (commandline -opc)
    set -l answers ($words[1] __complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $answers) -gt 1
        printf '%s\\n' $answers[1..-2]
    end
    switch "$answers[-1]"
        case ':files'
            __fish_complete_path (commandline -ct)
        case ':directories'
            __fish_complete_directories (commandline -ct)
    end
end
complete -c glovebox -f -a '(__glovebox_complete)'
`
