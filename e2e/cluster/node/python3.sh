#!/bin/sh
# Stands in for an interpreter that the examples' policies name by its path.
echo "python3 stand-in: $*"
