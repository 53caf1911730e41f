//! From a text to its tree.

use granit_parser::{Event, Parser, ScanError, Span, StructureStyle, Tag, options};
use plimsoll_core::{Diagnostic, Place};

use super::tree::{Aliases, Content, Draft, Layout, NodeId, Pair, Properties, Root, Tree, Within};
use super::{locate, trouble};

/// As deep as collections may be nested. Kubernetes' own objects stay below 40.
const DEEPEST: usize = 200;

/// The namespace of YAML's own tags.
const YAML: &str = "tag:yaml.org,2002:";

/// Reads every document of a text.
pub(super) fn read(name: &str, text: &str) -> Result<Tree, Diagnostic> {
    let options = options! {
        emit_anchor_events: true,
        emit_comments: false,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut reader = Reader { name, text, tree: Tree::default(), open: Vec::new(), aliases: Aliases::None };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| reader.refused(&error))?;
        reader.take(event, &span)?;
    }
    Ok(locate::locate(text, reader.tree))
}

struct Reader<'text> {
    name: &'text str,
    text: &'text str,
    tree: Tree<Draft>,
    /// The collections that have not ended yet, each with the key that waits for its value.
    open: Vec<(NodeId, Option<NodeId>)>,
    aliases: Aliases,
}

impl Reader<'_> {
    fn refused(&self, error: &ScanError) -> Diagnostic {
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        let place = Place::new(self.name, self.text, at..at + 1);
        trouble::unreadable(self.text, &error.info()).at(place)
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Diagnostic> {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) => {
                self.aliases = Aliases::None;
                self.tree.roots.push(Root { node: 0, from: range.end, aliases: Aliases::None });
            }
            Event::DocumentEnd => {
                if let Some(root) = self.tree.roots.last_mut() {
                    root.aliases = self.aliases;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                // The parser writes `~` for what is not there.
                let text = if range.is_empty() && tag.is_none() && text == "~" {
                    String::new()
                } else {
                    text.into_owned()
                };
                let properties = properties(anchor, tag.as_deref(), span);
                self.add(Content::Scalar { text, style }, span, properties)?;
            }
            Event::Alias(anchor) => {
                self.aliases = Aliases::Some;
                self.add(Content::Alias(anchor), span, Properties::default())?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                let content = Content::Sequence { layout: layout(style, span), entries: Vec::new() };
                self.start(content, span, properties(anchor, tag.as_deref(), span))?;
            }
            Event::MappingStart(style, anchor, tag) => {
                let content = Content::Mapping { layout: layout(style, span), entries: Vec::new() };
                self.start(content, span, properties(anchor, tag.as_deref(), span))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.finish(range.end),
            Event::Anchor(anchor, name) => {
                self.tree.names.insert(anchor, name.into_owned());
                self.anchored(anchor, range);
            }
            _ => {}
        }
        Ok(())
    }

    fn start(
        &mut self,
        content: Content<Pair>,
        span: &Span,
        properties: Properties,
    ) -> Result<(), Diagnostic> {
        let id = self.add(content, span, properties)?;
        self.open.push((id, None));
        let range = span.byte_range().unwrap_or(0..0);
        if self.open.len() <= DEEPEST {
            return Ok(());
        }
        let place = Place::new(self.name, self.text, range);
        Err(trouble::too_much(&format!("more than {DEEPEST} collections are nested")).at(place))
    }

    fn finish(&mut self, end: usize) {
        let Some((id, _)) = self.open.pop() else { return };
        let node = &mut self.tree.nodes[id];
        let is_flow = matches!(
            node.content,
            Content::Mapping { layout: Layout::Flow, .. } | Content::Sequence { layout: Layout::Flow, .. }
        );
        if is_flow {
            node.range.end = end;
        }
    }

    fn anchored(&mut self, anchor: usize, range: std::ops::Range<usize>) {
        // The event follows its node at once, before the children.
        let Some((id, node)) = self.tree.nodes.iter_mut().enumerate().next_back() else { return };
        node.properties.anchor = Some(anchor);
        node.properties.span = Some(match node.properties.span.take() {
            Some(tag) => tag.start.min(range.start)..tag.end.max(range.end),
            None => range,
        });
        self.tree.anchors.insert(anchor, id);
    }

    fn add(
        &mut self,
        content: Content<Pair>,
        span: &Span,
        properties: Properties,
    ) -> Result<NodeId, Diagnostic> {
        let range = span.byte_range().unwrap_or(0..0);
        let within =
            self.open.last().map_or(Within::Block, |(parent, _)| within(&self.tree.nodes[*parent].content));
        let id = self.tree.nodes.len();
        self.tree.nodes.push(Draft { content, range, properties, within });
        self.attach(id).map(|()| id)
    }

    fn attach(&mut self, id: NodeId) -> Result<(), Diagnostic> {
        let Some((parent, waiting)) = self.open.last_mut() else {
            if let Some(root) = self.tree.roots.last_mut() {
                root.node = id;
            }
            return Ok(());
        };
        let parent = *parent;
        let is_mapping = matches!(self.tree.nodes[parent].content, Content::Mapping { .. });
        let key = if is_mapping { waiting.take() } else { None };
        if is_mapping && key.is_none() {
            let node = &self.tree.nodes[id];
            if matches!(node.content, Content::Mapping { .. } | Content::Sequence { .. }) {
                let place = Place::new(self.name, self.text, node.range.start..node.range.start + 1);
                return Err(
                    trouble::unreadable(self.text, "a key has to be a text, not a collection").at(place)
                );
            }
            *waiting = Some(id);
            return Ok(());
        }
        match &mut self.tree.nodes[parent].content {
            Content::Mapping { entries, .. } | Content::Sequence { entries, .. } => {
                entries.push(Pair { key, value: id });
            }
            Content::Scalar { .. } | Content::Alias(_) => {}
        }
        Ok(())
    }
}

fn within(content: &Content<Pair>) -> Within {
    match content {
        Content::Mapping { layout: Layout::Block, .. } | Content::Sequence { layout: Layout::Block, .. } => {
            Within::Block
        }
        _ => Within::Flow,
    }
}

fn layout(style: StructureStyle, span: &Span) -> Layout {
    match style {
        StructureStyle::Block => Layout::Block,
        StructureStyle::Flow if span.byte_range().is_some_and(|range| range.is_empty()) => Layout::Pair,
        StructureStyle::Flow => Layout::Flow,
    }
}

fn properties(anchor: usize, tag: Option<&Tag>, span: &Span) -> Properties {
    // Of somebody else's tags only their presence matters.
    let tag = tag.map(|tag| {
        tag.suffix_in_namespace(YAML).map_or_else(|| "!".to_owned(), std::borrow::Cow::into_owned)
    });
    let span = span.tag_span().and_then(|tag| tag.byte_range());
    Properties { anchor: (anchor != 0).then_some(anchor), tag, span }
}
