"""Published methods of localising a change, made by us from their papers; they see the table of leaves."""
