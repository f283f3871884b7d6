#!/bin/sh
# In the build of an image: an environment for each list of packages. Without an index where wheels were
# fetched before; else pip's own index is asked.
set -eu
cd /build
for list in *.txt; do
    kind=${list%.txt}
    [ "$kind" = constraints ] && continue
    place=/opt/zygotes/$kind
    python3.11 -m venv --without-pip "$place"
    if ls wheels/*.whl >/dev/null 2>&1; then
        pip=$(ls wheels/pip-*.whl)/pip
        from="--no-index --find-links wheels"
    else
        pip=$(python3.11 -c 'import os, pip; print(os.path.dirname(pip.__file__))')
        from=
    fi
    # shellcheck disable=SC2086
    python3.11 "$pip" --python "$place/bin/python" install $from --quiet --no-cache-dir --no-compile \
        --disable-pip-version-check --root-user-action ignore \
        --constraint constraints.txt --requirement "$list"
    packages=$place/lib/python3.11/site-packages
    rm -rf "$packages"/torch/include
    case $kind in *gpu*) ;; *) rm -rf "$packages"/triton/backends/nvidia/bin "$packages"/triton/backends/nvidia/lib ;; esac
    # Nothing can write byte code later, for the root is read-only: do it for what is always imported.
    # Compiling everything would take minutes and is used by nobody.
    for module in numpy IPython torch.nn.functional torch.optim torch._dynamo triton.language; do
        "$place/bin/python" -c "import $module" >/dev/null 2>&1 || true
    done
done
