"""One look for staff, portal and simulator: base templates, component partials and the tags they use.

Partials live in `templates/components/`, sheets and scripts in `static/shared/`; see docs/components.md.
"""
