test "$(printf '%s' a b c)" = abc
echo "${0##*/}: printf repeats its format"
